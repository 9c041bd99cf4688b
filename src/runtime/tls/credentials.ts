import type { CredentialView } from '../../model/status.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Log } from '../log.ts';
import { Gauge, type Registry } from '../metrics.ts';
import { endsWithinDays, levels } from './life.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from './material.ts';
import type { TlsReason } from './reasons.ts';

export interface TlsCredentialsOptions {
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
}

/** How often the files are looked at: a new certificate is in use within that time. */
const everyMs = 5000;
/**
 * Whoever replaces three files has them differ for a moment. So files that do not belong together are a problem when they are found so
 * twice; at the start there is nothing else to use, and nothing to wait for.
 */
const toleratedReads = 1;

/**
 * The certificate of a program, its key, and the CA that it believes, as the files are now. What cannot be used changes nothing: what
 * was read last stays in use. An agent whose files are bad at its start runs without: it answers nobody, believes no peer, and
 * serves on.
 */
export class TlsCredentials {
  readonly #options: TlsCredentialsOptions;
  #material: TlsMaterial | undefined;
  #problem: string | undefined;
  #failedReads = 0;
  #announced: number | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: TlsCredentialsOptions) {
    this.#options = options;
  }

  /** Reads the files, and again from time to time. Never rejects. */
  async start(): Promise<void> {
    await this.#read();
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimeout(() => void this.start(), everyMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What is in use; undefined while the files could never be used. */
  current(): TlsMaterial | undefined {
    return this.#material;
  }

  /** Why the files as they are now are not in use. */
  problem(): { readonly reason: TlsReason; readonly message: string } | undefined {
    return this.#problem === undefined ? undefined : { reason: 'TlsFilesUnusable', message: this.#problem };
  }

  /** When the certificate in use ends, for `/status`. */
  certificate(): CredentialView | undefined {
    if (this.#material === undefined) return undefined;
    const { kind, subject, untilMs } = this.#material.life;
    const endsWithin = endsWithinDays(this.#material.life, this.#options.clock.now());
    const reason = endsWithin === undefined ? undefined : ('CertificateEndsSoon' satisfies TlsReason);
    return { kind, endsAtMs: untilMs, ...withoutUndefined({ subject, endsWithinDays: endsWithin, reason }) };
  }

  async #read(): Promise<void> {
    const { files, log } = this.#options;
    try {
      const next = await readTlsFiles(files);
      this.#failedReads = 0;
      this.#problem = undefined;
      if (!isSame(this.#material, next)) this.#take(next);
    } catch (error) {
      this.#failedReads++;
      const problem = messageOf(error);
      if (this.#failedReads > toleratedReads || this.#material === undefined) {
        if (problem !== this.#problem)
          log.error(
            { reason: 'TlsFilesUnusable' satisfies TlsReason, problem },
            'the certificate files cannot be used',
          );
        this.#problem = problem;
      }
    }
    this.#announce();
  }

  #take(next: TlsMaterial): void {
    const isFirst = this.#material === undefined;
    this.#material = next;
    this.#announced = undefined;
    const { subject, untilMs } = next.life;
    const fields = { subject, ends: new Date(untilMs).toISOString() };
    this.#options.log.info(fields, isFirst ? 'certificate read' : 'a new certificate or CA is in use');
  }

  #announce(): void {
    if (this.#material === undefined) return;
    const { life } = this.#material;
    const days = endsWithinDays(life, this.#options.clock.now());
    if (days === undefined || days === this.#announced) return;
    this.#announced = days;
    const fields = {
      reason: 'CertificateEndsSoon' satisfies TlsReason,
      subject: life.subject,
      ends: new Date(life.untilMs).toISOString(),
    };
    this.#options.log[levels[days]](fields, `our certificate for other agents ends within ${days} days`);
  }
}

function isSame(a: TlsMaterial | undefined, b: TlsMaterial): boolean {
  return a !== undefined && a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}

/** The metrics of the certificate by which an agent is known. */
export function measureTls(registry: Registry, credentials: () => TlsCredentials | undefined): void {
  registry.registerMetric(
    new Gauge({
      name: 'tideline_endpoint_certificate_end_timestamp_seconds',
      help: 'When the certificate by which other agents know this one ends, in seconds since the epoch; absent without one',
      registers: [],
      collect() {
        const ms = credentials()?.certificate()?.endsAtMs;
        // A gauge without labels begins as 0, which alerts would read as a certificate that ended in 1970.
        if (ms === undefined) this.remove();
        else this.set(ms / 1000);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'tideline_endpoint_certificate_files_unusable',
      help: '1 while the certificate, key and CA files cannot be used as they are now, and what was read last is in use',
      registers: [],
      collect() {
        this.set(credentials()?.problem() === undefined ? 0 : 1);
      },
    }),
  );
}
