import { policiesOfCluster } from '../../../model/platform/policies.ts';
import type { EdgePool, TrafficPolicy } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { HostLack, PolicyHostsView } from '../../../model/status.ts';
import { compareText } from '../../../model/values.ts';
import type { EdgeReason } from '../reasons.ts';
import { type BackendKey, type Host, noBackend } from '../table.ts';
import { type CertificateFacts, faultsOf } from './last-good.ts';
import { wildcardOf } from './names.ts';

export interface PolicyHostsInput {
  readonly platform: Platform;
  readonly pool: EdgePool;
  readonly hosts: readonly Host[];
  /** Ready endpoints of a backend of the table. */
  readonly ready: (backend: BackendKey) => number;
  /** What a certificate of the table says of itself, by its id. */
  readonly certificates: ReadonlyMap<string, CertificateFacts>;
  /** ms since the epoch. */
  readonly nowMs: number;
}

/** How many hosts of a policy are named one by one; the others are counted. */
const mostNamed = 100;

/**
 * What this cluster has of the hosts of each policy that names it, sorted by policy; nothing for a pool to which DNS does not lead. The health of a policy is that of all its hosts
 * together; this is each by itself, so that nobody is led to a cluster that lacks one.
 */
export function policyHosts(input: PolicyHostsInput): readonly PolicyHostsView[] {
  const entry = input.platform.clusters.get(input.pool.spec.cluster)?.spec.entry;
  if (entry === undefined || !('edgePool' in entry) || entry.edgePool !== input.pool.metadata.name) return [];
  const byName = new Map(input.hosts.map((host) => [host.name, host]));
  return policiesOfCluster(input.platform, input.pool.spec.cluster)
    .map((policy) => hostsOfPolicy(policy, byName, input))
    .toSorted((a, b) => compareText(a.policy, b.policy));
}

function hostsOfPolicy(
  { metadata, spec }: TrafficPolicy,
  byName: ReadonlyMap<string, Host>,
  input: PolicyHostsInput,
): PolicyHostsView {
  const lacking: HostLack[] = [];
  const withoutCertificate: string[] = [];
  for (const name of spec.hosts.toSorted(compareText)) {
    const host = byName.get(name) ?? byName.get(wildcardOf(name) ?? name) ?? byName.get('');
    const lacks = host === undefined ? notServed : lackOfEndpoints(host, spec.minReadyRatio, input);
    if (lacks !== undefined) lacking.push({ host: name, ...lacks });
    if (host === undefined) continue;
    const faults = certificateFaults(name, host, byName.get(''), input);
    if (faults === undefined) withoutCertificate.push(name);
    else lacking.push(...faults);
  }
  return { policy: metadata.name, lacking: lacking.slice(0, mostNamed), count: lacking.length, withoutCertificate };
}

type Lack = Omit<HostLack, 'host' | 'reason'> & { readonly reason: EdgeReason };

const notServed: Lack = { reason: 'HostNotServed', message: 'no Ingress has it' };

function lackOfEndpoints(host: Host, minReadyRatio: number, { ready }: PolicyHostsInput): Lack | undefined {
  const open = host.paths.filter(({ settings = -1 }) => host.settings?.[settings]?.refused === undefined);
  const keys = [
    ...open.map(({ backend }) => backend),
    ...(host.defaultBackend === undefined ? [] : [host.defaultBackend]),
  ];
  const backends = new Set(keys.filter((key) => key !== noBackend));
  if (backends.size === 0) return { reason: 'HostNotServed', message: 'every path of it is refused' };
  const bare = [...backends].filter((key) => ready(key) === 0).toSorted(compareText);
  const share = (backends.size - bare.length) / backends.size;
  if (bare.length === 0 || (share >= minReadyRatio && share > 0)) return undefined;
  const services = [...new Set(bare.map((key) => key.split('/').slice(0, 2).join('/')))];
  const more = services.length > 3 ? ` and ${services.length - 3} more` : '';
  return {
    reason: 'HostNotReady',
    message: `no endpoint of Service ${services.slice(0, 3).join(', ')}${more} is ready`,
  };
}

/** What is wrong with the certificate that clients of the host are shown; undefined where it has none and the default one is of others. */
function certificateFaults(
  name: string,
  { certificate }: Host,
  anyHost: Host | undefined,
  { certificates, nowMs }: PolicyHostsInput,
): readonly HostLack[] | undefined {
  const facts = certificates.get(certificate ?? anyHost?.certificate ?? '');
  if (facts === undefined) return undefined;
  const faults = faultsOf(facts, name, nowMs);
  const isOfOthers = certificate === undefined && faults.some(({ reason }) => reason === 'CertificateHostMismatch');
  return isOfOthers
    ? undefined
    : faults.map(({ reason, what }) => ({ host: name, reason, message: `its certificate ${what}` }));
}
