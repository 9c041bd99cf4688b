import { parse } from 'yaml';
import { answersOf } from '../../../src/answers/answers.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { apiVersion, healthPathOf } from '../../../src/model/contract.ts';
import { clustersOfPolicy } from '../../../src/model/platform/policies.ts';
import { TrafficPolicy } from '../../../src/model/spec/kinds.ts';
import { withoutUndefined } from '../../../src/model/values.ts';
import { type Entry, healthCheckKey } from '../../../src/planes/steering/compile/entries.ts';
import type { CompileInput } from '../../../src/planes/steering/dialects/dialect.ts';

/** A TrafficPolicy of the host www.example.net whose spec is this YAML (rules and default). */
export function policyOf(yaml: string): TrafficPolicy {
  return TrafficPolicy.parse({
    apiVersion,
    kind: 'TrafficPolicy',
    metadata: { name: 'site' },
    spec: {
      hosts: ['www.example.net'],
      dns: { zone: 'example.net', providers: ['route53', 'powerdns'] },
      ttlSeconds: 30,
      ...(parse(yaml) as object),
    },
  });
}

/** Entries of a policy's clusters with these addresses; a cluster that is not listed gets one address of its own. */
function entriesFor(
  policy: TrafficPolicy,
  addresses: Readonly<Record<string, readonly string[]>> = {},
  least: Readonly<Record<string, number>> = {},
): readonly Entry[] {
  return clustersOfPolicy(policy).map((cluster, index) => ({
    cluster,
    checks: (addresses[cluster] ?? [`192.0.2.${index + 1}`]).map((text) => {
      const settings = {
        address: parseAddress(text)?.text ?? text,
        port: 80,
        protocol: 'HTTP' as const,
        path: healthPathOf(policy.metadata.name),
        hosts: policy.spec.hosts,
        intervalSeconds: 10 as const,
        failureThreshold: 3,
        ...withoutUndefined({ minHealthyAddresses: least[cluster] }),
      };
      return { key: healthCheckKey({ ...settings, type: settings.protocol }), ...settings };
    }),
  }));
}

export function compileInputOf(
  policy: TrafficPolicy,
  options: {
    readonly drained?: readonly string[];
    readonly addresses?: Readonly<Record<string, readonly string[]>>;
    /** How many addresses of a cluster must answer for it to be a first choice; of one that is not listed, one. */
    readonly least?: Readonly<Record<string, number>>;
  } = {},
): CompileInput {
  return {
    answers: answersOf(policy, new Set(options.drained ?? [])),
    hosts: policy.spec.hosts,
    zone: policy.spec.dns.zone,
    ttlSeconds: policy.spec.ttlSeconds,
    entries: entriesFor(policy, options.addresses, options.least),
  };
}
