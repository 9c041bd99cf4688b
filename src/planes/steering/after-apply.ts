import { messageOf } from '../../model/values.ts';
import type { Log } from '../../runtime/log.ts';
import type { ZoneAtProvider } from './compile/intent.ts';
import type { ZonePlan } from './plan/plan.ts';
import type { SteeringNotice } from './reasons.ts';

/**
 * Asks the name servers of a zone whether they answer as a plan says that is in force. Resolves with a clause for each that is silent or
 * answers otherwise, none when all of them answer so; `isAgain` when that was so before, which is looked at once and not waited for.
 */
export type AskNameServers = (
  plan: ZonePlan,
  how: { readonly isAgain: boolean; readonly ended: AbortSignal },
) => Promise<readonly string[]>;

export interface AfterApplyOptions {
  readonly ask: AskNameServers;
  readonly log: Log;
  /** Called when what is known of a zone has changed. */
  readonly onChange: () => void;
}

/** What was applied in a zone, until all name servers answer so or somebody else writes the zone. */
interface Applied {
  readonly plan: ZonePlan;
  readonly generation: number;
  readonly ended: AbortController;
  isAsking: boolean;
  faults: readonly string[];
}

/** Asks name servers after each apply, beside the loop of the agent, which waits for nothing of it. */
export class AfterApply {
  readonly #options: AfterApplyOptions;
  readonly #zones = new Map<string, Applied>();

  constructor(options: AfterApplyOptions) {
    this.#options = options;
  }

  /** Begins to ask for a plan that was applied just now, and forgets what was applied in the zone before. */
  applied(plan: ZonePlan, generation: number): void {
    this.#forget(plan);
    const applied: Applied = { plan, generation, ended: new AbortController(), isAsking: false, faults: [] };
    this.#zones.set(keyOf(plan), applied);
    void this.#ask(applied, false);
  }

  /** Asks again while a name server was not right; once the zone has another generation its answers are those of somebody else. */
  look({ changes, ...at }: Pick<ZonePlan, 'provider' | 'zone' | 'changes'>): void {
    const applied = this.#zones.get(keyOf(at));
    if (applied === undefined) return;
    if (changes.registryBefore.generation !== applied.generation) this.#forget(at);
    else if (!applied.isAsking) void this.#ask(applied, true);
  }

  /** One notice for all name servers of the zone that are not right. */
  notices(at: ZoneAtProvider): readonly SteeringNotice[] {
    const faults = this.#zones.get(keyOf(at))?.faults ?? [];
    return faults.length === 0 ? [] : [{ reason: 'AnsweredOtherwise', message: faults.join('; ') }];
  }

  stop(): void {
    for (const { ended } of this.#zones.values()) ended.abort();
    this.#zones.clear();
  }

  async #ask(applied: Applied, isAgain: boolean): Promise<void> {
    const { ask, log, onChange } = this.#options;
    const { plan, ended } = applied;
    applied.isAsking = true;
    try {
      const faults = await ask(plan, { isAgain, ended: ended.signal });
      if (ended.signal.aborted) return;
      const before = applied.faults.join();
      applied.faults = faults;
      if (faults.length === 0) this.#zones.delete(keyOf(plan));
      if (before !== faults.join()) onChange();
    } catch (error) {
      log.info(
        { zone: plan.zone, detail: messageOf(error) },
        'name servers could not be asked; they are at the next look',
      );
    } finally {
      applied.isAsking = false;
    }
  }

  #forget(at: ZoneAtProvider): void {
    this.#zones.get(keyOf(at))?.ended.abort();
    this.#zones.delete(keyOf(at));
  }
}

const keyOf = ({ provider, zone }: ZoneAtProvider): string => `${provider} ${zone}`;
