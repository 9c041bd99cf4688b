import type { CredentialView } from '../../../model/status.ts';
import { withoutUndefined } from '../../../model/values.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { Gauge, type Registry } from '../../../runtime/metrics.ts';
import { type CredentialLife, certificateLife, endsWithinDays, levels } from '../../../runtime/tls/life.ts';
import type { KubeReason } from '../../reasons.ts';
import type { Access } from './access.ts';

/** The life of what ends first of our client certificate and our token; undefined when neither says when it ends. */
export function lifeOf({ tls, headers }: Pick<Access, 'tls' | 'headers'>): CredentialLife | undefined {
  // A certificate that cannot be read fails at the connection, which says why.
  const certificate = tls.cert === undefined ? undefined : certificateLife(tls.cert);
  const lives = [certificate, tokenLife(headers['authorization'])].filter((life) => life !== undefined);
  return lives.toSorted((a, b) => a.untilMs - b.untilMs)[0];
}

/** The claims of a JSON Web Token; tokens of other forms say nothing of themselves. */
function tokenLife(authorization: string | undefined): CredentialLife | undefined {
  const [, payload] = /^Bearer [^.]+\.([^.]+)\.[^.]+$/.exec(authorization ?? '') ?? [];
  if (payload === undefined) return undefined;
  try {
    const { sub, iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<
      Record<string, unknown>
    >;
    if (typeof exp !== 'number' || typeof iat !== 'number') return undefined;
    const subject = typeof sub === 'string' ? sub : undefined;
    return { kind: 'token', fromMs: iat * 1000, untilMs: exp * 1000, ...withoutUndefined({ subject }) };
  } catch {
    return undefined;
  }
}

/** Announces the end of the credentials in use, in `/status`, as a metric and once for each number of days in the log. */
export class CredentialEnd {
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  #read: string | undefined;
  #life: CredentialLife | undefined;
  #said: number | undefined;

  constructor(options: { readonly clock: Clock; readonly log?: Log; readonly registry?: Registry }) {
    this.#clock = options.clock;
    this.#log = options.log;
    if (options.registry !== undefined) this.#register(options.registry);
  }

  /** Takes the access of a request that is sent now. */
  note(access: Access): void {
    const read = `${access.tls.cert ?? ''}\n${access.headers['authorization'] ?? ''}`;
    if (read !== this.#read) {
      this.#read = read;
      this.#life = lifeOf(access);
      this.#said = undefined;
    }
    this.#announce();
  }

  /** For `/status`; undefined when the credentials do not say when they end. */
  view(): CredentialView | undefined {
    if (this.#life === undefined) return undefined;
    const { kind, subject, untilMs } = this.#life;
    const endsWithin = endsWithinDays(this.#life, this.#clock.now());
    const reason = endsWithin === undefined ? undefined : ('CredentialEndsSoon' satisfies KubeReason);
    return { kind, endsAtMs: untilMs, ...withoutUndefined({ subject, endsWithinDays: endsWithin, reason }) };
  }

  #announce(): void {
    if (this.#life === undefined) return;
    const days = endsWithinDays(this.#life, this.#clock.now());
    if (days === undefined || days === this.#said) return;
    this.#said = days;
    const { kind, subject, untilMs } = this.#life;
    const reason = 'CredentialEndsSoon' satisfies KubeReason;
    const ends = new Date(untilMs).toISOString();
    this.#log?.[levels[days]]({ reason, kind, subject, ends }, `our ${kind} ends within ${days} days`);
  }

  #register(registry: Registry): void {
    const end = (): number | undefined => this.#life?.untilMs;
    registry.registerMetric(
      new Gauge({
        name: 'tideline_kube_credential_end_timestamp_seconds',
        help: 'When our client certificate or token ends, in seconds since the epoch; absent when it does not say',
        registers: [],
        collect() {
          const ms = end();
          if (ms !== undefined) this.set(ms / 1000);
        },
      }),
    );
  }
}
