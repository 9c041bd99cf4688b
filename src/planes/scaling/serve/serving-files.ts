import { createPrivateKey, X509Certificate } from 'node:crypto';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';

/** The certificate by which the aggregator knows the server, and its key, in PEM. */
export interface ServingPair {
  readonly cert: string;
  readonly key: string;
}

export interface ServingFilesOptions {
  readonly cert: string;
  readonly key: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A new pair is in use within that time. */
const everyMs = 5000;
const mostBytes = 256 << 10;
/** So long before its end a certificate is a problem. */
const soonMs = 24 * 3_600_000;

/** The pair as its files are now. What cannot be used changes nothing: the last good one stays in use, and that is said. */
export class ServingFiles {
  readonly #options: ServingFilesOptions;
  readonly #followers = new Set<() => void>();
  #pair: ServingPair;
  #problem: string | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  private constructor(options: ServingFilesOptions, pair: ServingPair) {
    this.#options = options;
    this.#pair = pair;
    this.#follow();
  }

  /** Reads the files. Rejects where they cannot be used: there is nothing else to serve with. */
  static async open(options: ServingFilesOptions): Promise<ServingFiles> {
    return new ServingFiles(options, await readPair(options));
  }

  current(): ServingPair {
    return this.#pair;
  }

  problems(): readonly string[] {
    const leftMs = new X509Certificate(this.#pair.cert).validToDate.getTime() - this.#options.clock.now();
    const ends = leftMs < 0 ? 'has ended' : `ends in ${Math.floor(leftMs / 3_600_000)} hours`;
    return [
      ...(this.#problem === undefined ? [] : [this.#problem]),
      ...(leftMs < soonMs ? [`the certificate ${this.#options.cert} ${ends}: put a new one there`] : []),
    ];
  }

  /** Calls back when another pair is in use; returns how to end that. */
  onChange(call: () => void): () => void {
    this.#followers.add(call);
    return () => this.#followers.delete(call);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #follow(): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#read(), everyMs);
  }

  async #read(): Promise<void> {
    const { log, cert } = this.#options;
    try {
      const next = await readPair(this.#options);
      this.#problem = undefined;
      if (next.cert !== this.#pair.cert || next.key !== this.#pair.key) {
        this.#pair = next;
        log.info({ cert }, 'a new certificate is in use');
        for (const call of this.#followers) call();
      }
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem)
        log.error({ problem }, 'the certificate cannot be used; the last one stays in use');
      this.#problem = problem;
    }
    if (!this.#stopped) this.#follow();
  }
}

async function readPair({ cert, key }: Pick<ServingFilesOptions, 'cert' | 'key'>): Promise<ServingPair> {
  const [chain, secret] = await Promise.all([read(cert), read(key)]);
  const leaf = parsed(cert, 'certificate', () => new X509Certificate(chain));
  if (!leaf.checkPrivateKey(parsed(key, 'private key without a passphrase', () => createPrivateKey(secret))))
    throw new Error(`${key} is not the key of ${cert}`);
  return { cert: chain, key: secret };
}

async function read(path: string): Promise<string> {
  return (await readBounded(path, mostBytes)).toString('utf8');
}

/** The message of OpenSSL may quote what it could not parse, so it is left out. */
function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`${path} holds no ${what} in PEM`);
  }
}
