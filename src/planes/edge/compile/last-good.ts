import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { EdgeRefusal } from '../reasons.ts';
import type { Certificate } from '../table.ts';

/** What a certificate says of itself, for findings. */
export interface CertificateFacts {
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The DNS names that it is valid for, in lower case; a wildcard covers one label. */
  readonly names: readonly string[];
}

/** A pair that nginx can present. */
export interface GoodPair {
  readonly certificate: Certificate;
  readonly facts: CertificateFacts;
}

/**
 * The last good pairs of every claim to a Secret, by `claimKey`, best first: nginx may refuse one. A pair stays while its Secret is broken or gone, because a
 * mistake in one object must not show the default certificate to everybody; it ends with the claim, so an Ingress that no
 * longer names the Secret, or another Ingress of the same name, does not get it.
 */
export interface LastGood {
  get(key: string): readonly GoodPair[] | undefined;
}

/** The key of a claim: the Ingress (its uid, where objects have one) and the Secret that it names. */
export function claimKey(owner: string, secret: ObjectKey): string {
  return `${owner} ${secret}`;
}

/** The findings about a pair that a host presents, at a time. Such a pair is served all the same. */
export function findingsOf(
  { facts }: GoodPair,
  secret: ObjectKey,
  host: string,
  nowMs: number,
): readonly EdgeRefusal[] {
  return faultsOf(facts, host, nowMs).map(({ reason, what }) => ({
    reason,
    message: `the certificate in Secret ${secret} ${what}`,
  }));
}

/** What is wrong with a certificate for a host at a time, as the end of a sentence that begins with the certificate. */
export function faultsOf(
  facts: CertificateFacts,
  host: string,
  nowMs: number,
): readonly { readonly reason: EdgeRefusal['reason']; readonly what: string }[] {
  const covered = host === '' || facts.names.some((name) => covers(name, host));
  return [
    ...(nowMs >= facts.notAfterMs
      ? [{ reason: 'CertificateExpired' as const, what: `ended at ${dateOf(facts.notAfterMs)}` }]
      : []),
    ...(nowMs < facts.notBeforeMs
      ? [{ reason: 'CertificateNotYetValid' as const, what: `begins at ${dateOf(facts.notBeforeMs)}` }]
      : []),
    ...(covered ? [] : [{ reason: 'CertificateHostMismatch' as const, what: `is not for ${host}` }]),
  ];
}

/** The next time after `nowMs` at which a pair begins or ends to be valid. */
export function nextTurn({ facts }: GoodPair, nowMs: number): number {
  if (nowMs < facts.notBeforeMs) return facts.notBeforeMs;
  return nowMs < facts.notAfterMs ? facts.notAfterMs : Infinity;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Whether a name of a certificate covers a host, which may be a wildcard itself (RFC 9525, section 6.3). */
function covers(name: string, host: string): boolean {
  if (name === host) return true;
  if (!name.startsWith('*.')) return false;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === name.slice(1);
}
