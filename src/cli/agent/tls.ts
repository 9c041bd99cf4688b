import type { EdgePool } from '../../model/spec/kinds.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { EndpointView } from '../../model/status.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { Registry } from '../../runtime/metrics.ts';
import type { Gates, TlsRules } from '../../runtime/tls/gate.ts';
import type { AgentAccess } from '../../runtime/tls/line.ts';
import type { ServerName } from '../../runtime/tls/names.ts';
import { type TlsArguments, tlsFilesOf } from '../tls.ts';
import type { Started } from './started.ts';

/** What an agent does with its certificate: it asks others with it, and shows it to who asks. */
export interface AgentTls {
  readonly rules: TlsRules;
  readonly access: AgentAccess;
}

interface Parts {
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  readonly started: Started;
}

/**
 * Reads the certificate files and follows them; undefined where none are named. Files that cannot be used do not keep an agent from
 * its work: it answers nobody then, and believes no peer, so that it keeps its VIPs.
 */
export async function followCertificates(
  given: TlsArguments,
  { clock, log, registry, started }: Parts,
): Promise<AgentTls | undefined> {
  const { measureTls, TlsCredentials: Credentials } = await import('../../runtime/tls/credentials.ts');
  const files = tlsFilesOf(given);
  const credentials = files === undefined ? undefined : new Credentials({ files, clock, log });
  measureTls(registry, () => credentials);
  if (credentials === undefined) return undefined;
  await credentials.start();
  started.add('certificates', async () => credentials.stop());
  const grace = given.tlsMode === 'grace';
  return { rules: { credentials, grace }, access: { material: () => credentials.current(), grace } };
}

/** What `/status` says of it. */
export function endpointView(tls: AgentTls | undefined): EndpointView {
  if (tls === undefined) return { certificates: 'none' };
  const { credentials, grace } = tls.rules;
  return {
    certificates: grace ? 'grace' : 'required',
    ...withoutUndefined({ certificate: credentials.certificate(), problem: credentials.problem() }),
  };
}

/** Which blades may ask an agent: those of its own pool. Operators have certificates that name no blade. */
export function gatesOf({ edgePools }: Platform, pool: EdgePool | undefined, self: ServerName): Gates {
  const bladesOf = ({ spec }: EdgePool): readonly ServerName[] =>
    spec.blades.map(({ name, address }) => ({ name, address: address.text }));
  const others = [...edgePools.values()].filter(({ metadata }) => metadata.name !== pool?.metadata.name);
  return { own: [self, ...(pool === undefined ? [] : bladesOf(pool))], foreign: others.flatMap(bladesOf) };
}
