import type { Secret } from '../../../kube/kinds/secret.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { EdgeProblem, EdgeRefusal } from '../reasons.ts';
import type { Certificate } from '../table.ts';
import type { IngressReading, TlsClaim } from './ingress.ts';
import { wildcardOf } from './names.ts';

export type CertificateReading =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly fault: EdgeRefusal };

/**
 * Reads the certificate and key of a TLS Secret and checks that they belong together. Handed in, because it needs a
 * crypto library; it must give the same answer for the same contents.
 */
export type CertificateReader = (secret: Secret) => CertificateReading;

/**
 * Gives hosts their certificates: the oldest Ingress that serves a host and names a Secret for it owns the certificate
 * of that host.
 */
export class CertificateClaims {
  readonly #secrets: ReadonlyMap<ObjectKey, Secret>;
  readonly #read: CertificateReader;
  readonly #owners = new Map<string, ObjectKey>();
  readonly #secretOf = new Map<string, ObjectKey>();
  readonly #readings = new Map<ObjectKey, CertificateReading>();

  constructor(secrets: ReadonlyMap<ObjectKey, Secret>, read: CertificateReader) {
    this.#secrets = secrets;
    this.#read = read;
  }

  /**
   * Takes the claims of one Ingress; Ingresses must come oldest first. `served` are the hosts on which it won a route.
   */
  claim(reading: IngressReading, served: ReadonlySet<string>): readonly EdgeProblem[] {
    const problems: EdgeProblem[] = [];
    const refuse = (fault: EdgeRefusal, path: string): void => {
      problems.push({ reason: fault.reason, object: `Ingress/${reading.key}`, path, message: fault.message });
    };
    const used = new Set<string>();
    for (const host of [...served].sort()) {
      const entry = host === '' ? undefined : entryFor(host, reading.tls);
      if (entry === undefined) continue;
      used.add(host).add(wildcardOf(host) ?? host);
      if (entry.secret === undefined) continue;
      const fault = this.#take(host, entry.secret, reading.key);
      if (fault !== undefined) refuse(fault, `${entry.field}.secretName`);
    }
    for (const entry of reading.tls)
      for (const host of entry.hosts.filter((name) => !used.has(name)))
        refuse(
          { reason: 'TlsHostWithoutRule', message: `no serving rule here has the host ${host}` },
          `${entry.field}.hosts`,
        );
    return uniqueProblems(problems);
  }

  /** The pool's own certificate, for every handshake without another: the certificate of the host ``. */
  claimDefault(secret: ObjectKey): EdgeRefusal | undefined {
    return this.#take('', secret, '');
  }

  /** The certificate of a host; undefined when it has no good one. */
  certificateOf(host: string): Certificate | undefined {
    const secret = this.#secretOf.get(host);
    const reading = secret === undefined ? undefined : this.#readings.get(secret);
    return reading?.ok === true ? reading.certificate : undefined;
  }

  #take(host: string, secret: ObjectKey, ingress: ObjectKey): EdgeRefusal | undefined {
    const owner = this.#owners.get(host);
    if (owner !== undefined && this.#secretOf.get(host) !== secret)
      return { reason: 'TlsConflict', message: `the certificate of ${host} belongs to the older Ingress ${owner}` };
    // A bad Secret keeps its claim: a younger tenant's certificate must not appear because an older tenant made a
    // mistake.
    this.#owners.set(host, owner ?? ingress);
    this.#secretOf.set(host, secret);
    const reading = this.#readings.get(secret) ?? this.#readSecret(secret);
    this.#readings.set(secret, reading);
    return reading.ok ? undefined : reading.fault;
  }

  #readSecret(key: ObjectKey): CertificateReading {
    const secret = this.#secrets.get(key);
    if (secret === undefined) return { ok: false, fault: { reason: 'SecretMissing', message: absentText(key) } };
    if (secret.type !== 'kubernetes.io/tls')
      return {
        ok: false,
        fault: { reason: 'SecretTypeWrong', message: `Secret ${key} is not of type kubernetes.io/tls` },
      };
    return this.#read(secret);
  }
}

/** An agent asks a cluster for one type of Secret only, so one of another type cannot be told from one that does not exist. */
function absentText(key: ObjectKey): string {
  return `there is no Secret ${key} of type kubernetes.io/tls; one of another type, such as Opaque, is not read`;
}

/** The entry for a host: one that names it exactly, else one with its wildcard, else one that names no host. */
function entryFor(host: string, entries: readonly TlsClaim[]): TlsClaim | undefined {
  const wildcard = wildcardOf(host);
  return (
    entries.find((entry) => entry.hosts.includes(host)) ??
    (wildcard === undefined ? undefined : entries.find((entry) => entry.hosts.includes(wildcard))) ??
    entries.find((entry) => entry.hosts.length === 0)
  );
}

function uniqueProblems(problems: readonly EdgeProblem[]): readonly EdgeProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
