import type { Ingress } from '../../../kube/kinds/ingress.ts';
import type { ClusterState } from '../../../kube/source.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { messageOf } from '../../../model/values.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Compiled, CompileInput } from '../compile/compile.ts';
import { claimKey, type GoodPair, type LastGood } from '../compile/last-good.ts';
import type { CertificateReader } from '../compile/tls.ts';
import type { DataPlaneStatus } from '../table.ts';

export type KeptPairs = ReadonlyMap<string, GoodPair>;

/** Where the last good pairs of broken Secrets outlive the agent. */
export interface PairFile {
  /** Empty when there is no file that can be trusted (the reason is logged). */
  read(): Promise<KeptPairs>;
  write(kept: KeptPairs): Promise<void>;
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
const nothing: LastGood = new Map();

/**
 * What a compile must know of certificates beside the cluster: the last good pairs, those that nginx could not present,
 * and when the next one ends. The last good pairs of the agent before are those that its snapshot holds, and those in the
 * file, whose Secrets were broken then already.
 */
export class CertificatePairs {
  readonly #options: PairsOptions;
  #lastGood: LastGood = nothing;
  #kept: KeptPairs = new Map();
  #refused: ReadonlyMap<string, string> = new Map();
  #turn: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: PairsOptions) {
    this.#options = options;
  }

  /** Takes over what the agent before knew; to be called before the first compile. */
  async load(onDisk: ClusterState | undefined, pool: EdgePool): Promise<void> {
    this.#kept = (await this.#options.file?.read()) ?? new Map();
    this.#lastGood = new EarlierPairs(this.#kept, onDisk, pool, this.#options.readCertificate);
  }

  /** The part of the input of a compile that this class keeps. */
  input(): Pick<CompileInput, 'nowMs' | 'lastGood' | 'refusedPairs'> {
    return { nowMs: this.#options.clock.now(), lastGood: this.#lastGood, refusedPairs: this.#refused };
  }

  /** Takes over what a compile found. */
  compiled({ lastGood, kept, nextTurnMs }: Pick<Compiled, 'lastGood' | 'kept' | 'nextTurnMs'>): void {
    this.#lastGood = lastGood;
    this.#keep(new Map([...lastGood].filter(([key]) => kept.includes(key))));
    const { clock, recompile } = this.#options;
    this.#turn?.cancel();
    this.#turn = undefined;
    if (nextTurnMs === Infinity) return;
    const waitMs = Math.min(Math.max(nextTurnMs - clock.now(), 1000), longestWaitMs);
    this.#turn = clock.setTimeout(recompile, waitMs);
  }

  /** Takes over what nginx says of pairs that it could not present. */
  nginxSeen(status: DataPlaneStatus | undefined): void {
    if (status === undefined) return;
    const refused = new Map(Object.entries(status.refusedPairs));
    if (refused.size === this.#refused.size && [...refused.keys()].every((id) => this.#refused.has(id))) return;
    this.#refused = refused;
    this.#options.recompile();
  }

  /** Resolves when what is kept is on disk, or the failure was logged. */
  async stop(): Promise<void> {
    this.#turn?.cancel();
    await this.#writing;
  }

  #keep(kept: KeptPairs): void {
    const before = this.#kept;
    this.#kept = kept;
    const { file, log } = this.#options;
    if (file === undefined || samePairs(before, kept)) return;
    this.#writing = this.#writing
      .then(() => file.write(kept))
      .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'last good certificates not written'));
  }
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

  get(key: string): GoodPair | undefined {
    return this.#kept.get(key) ?? this.#fromSnapshot(key);
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
