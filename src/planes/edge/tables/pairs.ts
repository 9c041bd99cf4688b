import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import { Lookout } from '../../../runtime/kept-file.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Compiled, CompileInput } from '../compile/compile.ts';
import { claimKey, type GoodPair, type LastGood } from '../compile/last-good.ts';
import type { CertificateReader } from '../compile/tls.ts';
import type { Certificate, DataPlaneStatus } from '../table.ts';

export type KeptPairs = ReadonlyMap<string, GoodPair>;

/** Where the last good pairs of broken Secrets outlive the agent. */
export interface PairFile {
  /** Empty when there is no file that can be trusted (the reason is logged). */
  read(): Promise<KeptPairs>;
  write(kept: KeptPairs): Promise<void>;
  /** Whether the file is there as this process read or wrote it last. */
  isThere(): Promise<boolean>;
}

export interface PairsOptions {
  readonly file?: PairFile;
  readonly readCertificate: CertificateReader;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when the pairs of the next compile differ, or findings about them do. */
  readonly recompile: () => void;
}

/** Findings about validity are late by at most this much after the clock of the machine was set. */
const longestWaitMs = 3_600_000;

/**
 * What a compile must know of certificates beside the cluster: the last good pairs, those that nginx could not present,
 * and when the next one ends. The last good pairs of the agent before are those that its snapshot holds, and those in the
 * file, whose Secrets were broken then already.
 *
 * That a pair can be read does not prove that nginx can present it. So each claim has two: the newest, and the one before
 * it, which nginx acknowledged. That one is in the file until nginx acknowledged a table with the newest and did not refuse it.
 */
export class CertificatePairs {
  readonly #options: PairsOptions;
  /** What the agent before left; undefined once nginx acknowledged a table. */
  #earlier: EarlierPairs | undefined;
  /** The pairs of every claim that nginx did not refuse, newest first. */
  #claims: ReadonlyMap<string, readonly GoodPair[]> = new Map();
  #broken: ReadonlySet<string> = new Set();
  /** The ids in the table that nginx acknowledged last. */
  #proven: ReadonlySet<string> = new Set();
  #kept: KeptPairs = new Map();
  /** Every pair that nginx refused while a claim had it: nginx itself forgets them when it starts, and when it has many. */
  #refused: ReadonlyMap<string, string> = new Map();
  #reported: ReadonlySet<string> = new Set();
  #turn: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** True once something of this agent should be in the file. */
  #written = false;
  readonly #lookout: Lookout | undefined;

  constructor(options: PairsOptions) {
    this.#options = options;
    const { file, clock } = options;
    if (file !== undefined)
      this.#lookout = new Lookout({ clock, stands: () => this.#stands(file), restore: () => this.#restore() });
  }

  /** Takes over what the agent before knew; to be called before the first compile. */
  async load(onDisk: ClusterState | undefined, pool: EdgePool): Promise<void> {
    this.#kept = (await this.#options.file?.read()) ?? new Map();
    this.#earlier = new EarlierPairs(this.#kept, onDisk, pool, this.#options.readCertificate);
    this.#lookout?.start();
  }

  /** The part of the input of a compile that this class keeps. */
  input(): Pick<CompileInput, 'nowMs' | 'lastGood' | 'refusedPairs'> {
    const lastGood: LastGood = {
      get: (key) => [...(this.#claims.get(key) ?? []), ...(this.#earlier?.get(key) ?? [])],
    };
    return { nowMs: this.#options.clock.now(), lastGood, refusedPairs: this.#refused };
  }

  /** Takes over what a compile found. */
  compiled(found: Pick<Compiled, 'heldPairs' | 'brokenClaims' | 'refusedIds' | 'nextTurnMs'>): void {
    const { heldPairs, brokenClaims, refusedIds, nextTurnMs } = found;
    this.#claims = new Map([...heldPairs].map(([key, pair]) => [key, this.#pairsOf(key, pair)]));
    this.#broken = brokenClaims;
    this.#refused = new Map([...this.#refused].filter(([id]) => refusedIds.has(id) || this.#reported.has(id)));
    this.#keep();
    const { clock, recompile } = this.#options;
    this.#turn?.cancel();
    this.#turn = undefined;
    if (nextTurnMs === Infinity) return;
    const waitMs = Math.min(Math.max(nextTurnMs - clock.now(), 1000), longestWaitMs);
    this.#turn = clock.setTimeout(recompile, waitMs);
  }

  /** Notes that nginx has a table with these certificates. */
  acknowledged(certificates: readonly Certificate[]): void {
    this.#proven = new Set(certificates.map(({ id }) => id).filter((id) => !this.#refused.has(id)));
    this.#claims = new Map([...this.#claims].map(([key, pairs]) => [key, this.#withEarlier(key, pairs)]));
    this.#earlier = undefined;
    this.#keep();
  }

  /** Takes over what nginx says of pairs that it could not present. */
  nginxSeen(status: DataPlaneStatus | undefined): void {
    if (status === undefined) return;
    const before = this.#refused;
    this.#reported = new Set(Object.keys(status.refusedPairs));
    this.#refused = new Map([...before, ...Object.entries(status.refusedPairs)]);
    if (this.#refused.size > before.size) this.#options.recompile();
  }

  /** Resolves when what is kept is on disk, or the failure was logged. */
  async stop(): Promise<void> {
    this.#turn?.cancel();
    this.#lookout?.stop();
    await this.#writing;
  }

  /** A file that nobody wrote and that would be empty need not be there. */
  async #stands(file: PairFile): Promise<boolean> {
    await this.#writing;
    return (this.#kept.size === 0 && !this.#written) || file.isThere();
  }

  #restore(): void {
    this.#options.log.warn(
      {},
      'the file of last good certificates is gone or was changed by somebody; it is written again',
    );
    this.#write();
  }

  /** The pairs of a claim that now holds `pair`. One that nginx never acknowledged takes no place from one that it did. */
  #pairsOf(key: string, pair: GoodPair | undefined): readonly GoodPair[] {
    const known = (this.#claims.get(key) ?? []).filter(({ certificate }) => !this.#refused.has(certificate.id));
    if (pair === undefined) return known;
    const [newest, ...older] = known;
    const unproven = newest !== undefined && older.length > 0 && !this.#proven.has(newest.certificate.id);
    const before = (unproven ? older : known).filter((one) => isOther(one, pair));
    return [pair, ...before].slice(0, 2);
  }

  /** The pairs of a claim with that of the agent before; its snapshot is read only where nginx did not take the newest. */
  #withEarlier(key: string, pairs: readonly GoodPair[]): readonly GoodPair[] {
    const [newest, before] = pairs;
    if (this.#earlier === undefined || before !== undefined) return pairs;
    const proven = newest !== undefined && this.#proven.has(newest.certificate.id);
    const earlier = proven ? this.#kept.get(key) : this.#earlier.get(key)[0];
    const useful = earlier !== undefined && (newest === undefined || isOther(earlier, newest));
    return useful ? [...pairs, earlier] : pairs;
  }

  /** What must be in the file for a claim: a pair that no Secret in a snapshot holds. */
  #keptOf(key: string, [newest, before]: readonly GoodPair[]): GoodPair | undefined {
    if (newest === undefined || this.#broken.has(key)) return newest ?? this.#kept.get(key);
    if (this.#proven.has(newest.certificate.id)) return undefined;
    const kept = before ?? this.#kept.get(key);
    return kept !== undefined && isOther(kept, newest) ? kept : undefined;
  }

  #keep(): void {
    const before = this.#kept;
    const kept = new Map<string, GoodPair>();
    for (const [key, pairs] of this.#claims) {
      const pair = this.#keptOf(key, pairs);
      if (pair !== undefined && !this.#refused.has(pair.certificate.id)) kept.set(key, pair);
    }
    this.#kept = kept;
    if (!samePairs(before, kept)) this.#write();
  }

  /** Writes what is kept; what cannot be written is tried again within a minute. */
  #write(): void {
    const { file, log } = this.#options;
    if (file === undefined) return;
    this.#written = true;
    const kept = this.#kept;
    this.#writing = this.#writing
      .then(() => file.write(kept))
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'last good certificates not written'));
  }
}

function isOther(a: GoodPair, b: GoodPair): boolean {
  return a.certificate.id !== b.certificate.id;
}

function samePairs(a: KeptPairs, b: KeptPairs): boolean {
  return a.size === b.size && [...a].every(([key, { certificate }]) => b.get(key)?.certificate.id === certificate.id);
}

/** The last good pairs of an agent that is gone; a Secret of its snapshot is read only when its pair is asked for. */
class EarlierPairs implements LastGood {
  readonly #kept: KeptPairs;
  readonly #state: ClusterState | undefined;
  readonly #pool: EdgePool;
  readonly #read: CertificateReader;
  #secretOf: ReadonlyMap<string, string> | undefined;

  constructor(kept: KeptPairs, state: ClusterState | undefined, pool: EdgePool, read: CertificateReader) {
    this.#kept = kept;
    this.#state = state;
    this.#pool = pool;
    this.#read = read;
  }

  get(key: string): readonly GoodPair[] {
    const pair = this.#kept.get(key) ?? this.#fromSnapshot(key);
    return pair === undefined ? [] : [pair];
  }

  #fromSnapshot(key: string): GoodPair | undefined {
    if (this.#state === undefined) return undefined;
    this.#secretOf ??= claimsOf(this.#state, this.#pool);
    const secret = this.#state.objects.Secret.get(this.#secretOf.get(key) ?? '');
    if (secret?.type !== 'kubernetes.io/tls') return undefined;
    const reading = this.#read(secret);
    return reading.ok ? { certificate: reading.certificate, facts: reading.facts } : undefined;
  }
}

/** The Secret of every claim in a state. */
function claimsOf({ objects }: ClusterState, { spec }: EdgePool): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>();
  const add = (owner: string, secret: string): void => void secrets.set(claimKey(owner, secret), secret);
  if (spec.defaultCertificate !== undefined)
    add('EdgePool', `${spec.defaultCertificate.namespace}/${spec.defaultCertificate.secret}`);
  for (const [key, ingress] of objects.Ingress)
    for (const name of secretNames(ingress))
      add(ingress.metadata.uid ?? `Ingress/${key}`, `${ingress.metadata.namespace ?? 'default'}/${name}`);
  return secrets;
}

function secretNames({ spec }: Ingress): readonly string[] {
  return (spec?.tls ?? []).flatMap(({ secretName }) => secretName ?? []);
}
