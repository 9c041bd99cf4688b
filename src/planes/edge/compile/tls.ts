import { pairLengthOf, type Secret } from '../../../kube/kinds/secret.ts';
import type { ObjectKey } from '../../../kube/objects/metadata.ts';
import type { EdgeProblem, EdgeRefusal } from '../reasons.ts';
import type { Certificate } from '../table.ts';
import type { Budget } from './budget.ts';
import type { ForeignCertificate, HostOwners } from './host-owners.ts';
import type { IngressReading, TlsClaim } from './ingress.ts';
import { claimKey, findingsOf, type GoodPair, type LastGood, nextTurn } from './last-good.ts';
import { wildcardOf } from './names.ts';

export type CertificateReading =
  | ({ readonly ok: true } & GoodPair)
  | { readonly ok: false; readonly fault: EdgeRefusal };

/**
 * Reads the certificate and key of a TLS Secret and checks that they belong together, and that nginx can present them.
 * Handed in, because it needs a crypto library; it must give the same answer for the same contents.
 */
export type CertificateReader = (secret: Secret) => CertificateReading;

/** What the claims are judged by, beside the Secrets. */
export interface CertificateInput {
  readonly secrets: ReadonlyMap<ObjectKey, Secret>;
  readonly read: CertificateReader;
  /** The last good pairs of the compile before. */
  readonly lastGood: LastGood;
  /** Pairs that nginx itself could not present, and why, by id. */
  readonly refused: ReadonlyMap<string, string>;
  readonly nowMs: number;
  readonly budget: Budget;
  readonly owners: HostOwners;
  /** Only the namespace of the oldest Ingress of a host may give it a certificate. */
  readonly ownersOnly: boolean;
}

/** What a claim to a Secret has: a pair to serve, a fault, or both, when the pair is the last good one. */
interface Held {
  readonly pair?: GoodPair;
  readonly fault?: EdgeRefusal;
}

/**
 * Gives hosts their certificates: the oldest Ingress that serves a host and names a Secret for it owns the certificate
 * of that host.
 */
export class CertificateClaims {
  readonly #input: CertificateInput;
  readonly #owners = new Map<string, ObjectKey>();
  readonly #secretOf = new Map<string, ObjectKey>();
  readonly #heldBy = new Map<string, Held>();
  readonly #held = new Map<string, Held>();
  readonly #foreign: ForeignCertificate[] = [];
  readonly #refusedIds = new Set<string>();

  constructor(input: CertificateInput) {
    this.#input = input;
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
    const entryFor = entriesOf(reading.tls);
    for (const host of [...served].sort()) {
      const entry = host === '' ? undefined : entryFor(host);
      if (entry === undefined) continue;
      used.add(host).add(wildcardOf(host) ?? host);
      if (entry.secret === undefined) continue;
      for (const fault of this.#claimHost(host, entry.secret, reading)) refuse(fault, `${entry.field}.secretName`);
    }
    for (const entry of reading.tls)
      for (const host of entry.hosts.filter((name) => !used.has(name)))
        refuse(
          { reason: 'TlsHostWithoutRule', message: `no serving rule here has the host ${host}` },
          `${entry.field}.hosts`,
        );
    return uniqueProblems(problems);
  }

  /** The hosts that present a certificate from another namespace than their owner's. */
  get foreign(): readonly ForeignCertificate[] {
    return this.#foreign;
  }

  /** The pool's own certificate, for every handshake without another: the certificate of the host ``. */
  claimDefault(secret: ObjectKey): readonly EdgeRefusal[] {
    return this.#take('', secret, '', 'EdgePool');
  }

  /** The certificate of a host; undefined when it has no good one. */
  certificateOf(host: string): Certificate | undefined {
    return this.#heldBy.get(host)?.pair?.certificate;
  }

  /** The pair of every claim, which may only stand in for a broken Secret; undefined for a claim without a pair. */
  held(): ReadonlyMap<string, GoodPair | undefined> {
    return new Map([...this.#held].map(([key, { pair }]) => [key, pair]));
  }

  /** The keys of the claims whose Secret is broken or gone. */
  broken(): ReadonlySet<string> {
    return new Set([...this.#held].filter(([, { fault }]) => fault !== undefined).map(([key]) => key));
  }

  /** The ids of the claimed pairs that are not served because nginx refused them. */
  get refusedIds(): ReadonlySet<string> {
    return this.#refusedIds;
  }

  /** The next time at which a pair in use begins or ends to be valid; Infinity when none does. */
  nextTurn(): number {
    let next = Infinity;
    for (const { pair } of this.#held.values())
      if (pair !== undefined) next = Math.min(next, nextTurn(pair, this.#input.nowMs));
    return next;
  }

  #claimHost(host: string, secret: ObjectKey, { key, uid }: IngressReading): readonly EdgeRefusal[] {
    const owner = this.#input.owners.foreignOwner(host, key);
    if (owner !== undefined && this.#input.ownersOnly)
      return [{ reason: 'TlsOfHostOwner', message: `${host} belongs to Ingress ${owner} of another namespace` }];
    const claimedBefore = this.#owners.has(host);
    const faults = this.#take(host, secret, key, uid ?? `Ingress/${key}`);
    if (owner === undefined || claimedBefore) return faults;
    this.#foreign.push({ host, owner, giver: key });
    const message = `${host} belongs to Ingress ${owner} of another namespace, which names no certificate for it`;
    return [...faults, { reason: 'TlsForeign', message }];
  }

  #take(host: string, secret: ObjectKey, ingress: ObjectKey, owned: string): readonly EdgeRefusal[] {
    const owner = this.#owners.get(host);
    if (owner !== undefined && this.#secretOf.get(host) !== secret)
      return [{ reason: 'TlsConflict', message: `the certificate of ${host} belongs to the older Ingress ${owner}` }];
    // A bad Secret keeps its claim: a younger tenant's certificate must not appear because an older tenant made a
    // mistake.
    this.#owners.set(host, owner ?? ingress);
    this.#secretOf.set(host, secret);
    const key = claimKey(owned, secret);
    const held = this.#held.get(key) ?? this.#hold(key, secret);
    this.#held.set(key, held);
    const before = this.#heldBy.get(host);
    if (before?.pair === undefined) this.#heldBy.set(host, held);
    const findings = held.pair === undefined ? [] : findingsOf(held.pair, secret, host, this.#input.nowMs);
    return held.fault === undefined ? findings : [held.fault, ...findings];
  }

  /** The pair of a claim: what the Secret holds, else the last good one. */
  #hold(key: string, secret: ObjectKey): Held {
    const reading = this.#readSecret(secret);
    if (reading.ok) return { pair: { certificate: reading.certificate, facts: reading.facts } };
    const pair = this.#input.lastGood.get(key)?.find(({ certificate }) => !this.#input.refused.has(certificate.id));
    if (pair === undefined) return { fault: reading.fault };
    const message = `${reading.fault.message}: its last good pair is served`;
    const { chain, key: privateKey } = pair.certificate;
    const crowded = this.#input.budget.certificate(secret, chain.length + privateKey.length);
    return crowded === undefined ? { pair, fault: { reason: 'CertificateKept', message } } : { fault: crowded };
  }

  /** What the Secret holds, and whether nginx could present it when it tried. */
  #readSecret(key: ObjectKey): CertificateReading {
    const reading = this.#readObject(key);
    const why = reading.ok ? this.#input.refused.get(reading.certificate.id) : undefined;
    if (!reading.ok || why === undefined) return reading;
    this.#refusedIds.add(reading.certificate.id);
    return {
      ok: false,
      fault: { reason: 'CertificateRefused', message: `nginx refuses the pair of Secret ${key}: ${why}` },
    };
  }

  #readObject(key: ObjectKey): CertificateReading {
    const secret = this.#input.secrets.get(key);
    if (secret === undefined) return { ok: false, fault: { reason: 'SecretMissing', message: absentText(key) } };
    if (secret.type !== 'kubernetes.io/tls')
      return {
        ok: false,
        fault: { reason: 'SecretTypeWrong', message: `Secret ${key} is not of type kubernetes.io/tls` },
      };
    if (secret.notKept === 'object') return { ok: false, fault: notKept(key) };
    const fault = this.#input.budget.certificate(key, pairLengthOf(secret));
    return fault === undefined ? this.#input.read(secret) : { ok: false, fault };
  }
}

function notKept(key: ObjectKey): EdgeRefusal {
  const message = `Secret ${key} is not read: its namespace has more Secrets than are kept of one namespace`;
  return { reason: 'NamespaceBudget', message };
}

/** An agent asks a cluster for one type of Secret only, so one of another type cannot be told from one that does not exist. */
function absentText(key: ObjectKey): string {
  return `there is no Secret ${key} of type kubernetes.io/tls; one of another type, such as Opaque, is not read`;
}

/**
 * Which hosts have TLS, by namespace: those that an Ingress of the namespace serves and has in `spec.tls`, whatever became of
 * the certificate. A namespace cannot make the routes of another one redirect to HTTPS.
 */
export class TlsHosts {
  readonly #known = new Set<string>();

  /** `served` are the hosts on which the Ingress won a route. */
  add({ key, tls }: IngressReading, served: ReadonlySet<string>): void {
    if (tls.length === 0) return;
    const entryFor = entriesOf(tls);
    for (const host of served)
      if (host !== '' && entryFor(host) !== undefined) this.#known.add(`${namespaceOf(key)} ${host}`);
  }

  has(ingress: ObjectKey, host: string): boolean {
    return this.#known.has(`${namespaceOf(ingress)} ${host}`);
  }
}

function namespaceOf(key: ObjectKey): string {
  return key.slice(0, key.indexOf('/'));
}

/**
 * Finds the entry for a host: one that names it exactly, else one with its wildcard, else one that names no host. An Ingress may have
 * thousands of hosts and of entries, so they are not compared one by one.
 */
function entriesOf(entries: readonly TlsClaim[]): (host: string) => TlsClaim | undefined {
  const byHost = new Map<string, TlsClaim>();
  for (const entry of entries) for (const host of entry.hosts) if (!byHost.has(host)) byHost.set(host, entry);
  const ofAll = entries.find(({ hosts }) => hosts.length === 0);
  return (host) => byHost.get(host) ?? byHost.get(wildcardOf(host) ?? '') ?? ofAll;
}

function uniqueProblems(problems: readonly EdgeProblem[]): readonly EdgeProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
