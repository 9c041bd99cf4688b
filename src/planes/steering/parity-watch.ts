import type { Platform } from '../../model/spec/platform.ts';
import type { ParityView } from '../../model/steering-status.ts';
import { messageOf } from '../../model/values.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';

interface ParityWatchOptions {
  /** Looks what clusters lack; bounded in time. */
  readonly look: (platform: Platform) => Promise<readonly ParityView[]>;
  /** Not more often than this. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What clusters lack of the hosts of policies, looked at beside the plans, which never wait for it. */
export class ParityWatch {
  readonly #options: ParityWatchOptions;
  #views: readonly ParityView[] | undefined;
  #looking = false;
  #lookedAtMs = -Infinity;

  constructor(options: ParityWatchOptions) {
    this.#options = options;
  }

  /** What was seen last; undefined before the first look. */
  get views(): readonly ParityView[] | undefined {
    return this.#views;
  }

  /** Looks again when that is due. A look that fails leaves nothing known. */
  refresh(platform: Platform): void {
    const { clock, everyMs, look, log } = this.#options;
    if (this.#looking || clock.monotonic() < this.#lookedAtMs + everyMs) return;
    this.#looking = true;
    this.#lookedAtMs = clock.monotonic();
    look(platform)
      .then((views) => this.#take(views))
      .catch((error: unknown) => {
        this.#views = undefined;
        log.warn({ error: messageOf(error) }, 'what clusters have of the hosts of policies could not be looked at');
      })
      .finally(() => {
        this.#looking = false;
      });
  }

  /** Forgets what was seen: another agent looks. */
  forget(): void {
    this.#views = undefined;
    this.#lookedAtMs = -Infinity;
  }

  #take(views: readonly ParityView[]): void {
    const before = new Set((this.#views ?? []).flatMap(keysOf));
    for (const view of views)
      for (const { host, reason, message } of view.lacks)
        if (!before.has(keyOf(view, host, reason)))
          this.#options.log.warn(
            { policy: view.policy, cluster: view.cluster, host, reason, detail: message },
            'a cluster lacks a host of a policy that names it',
          );
    this.#views = views;
  }
}

const keyOf = ({ policy, cluster }: ParityView, host: string, reason: string): string =>
  [policy, cluster, host, reason].join(' ');

const keysOf = (view: ParityView): readonly string[] => view.lacks.map(({ host, reason }) => keyOf(view, host, reason));
