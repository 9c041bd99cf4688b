import type { KnownRates } from './demand-kept.ts';
import type { KeptFloor } from './floors-kept.ts';

/** What an agent must not forget by a restart: what it told autoscalers, and what it last knew of each country. */
export interface Remembrance {
  readonly floors: ReadonlyMap<string, KeptFloor>;
  readonly rates: KnownRates;
  /** By policy, which part of the requests is for its hosts, when that was known last. */
  readonly shares: ReadonlyMap<string, number>;
}
