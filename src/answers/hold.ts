import type { Progress } from './pace.ts';

/**
 * A cluster that was down, and to which the users of a policy do not return at once: it stands last in their order, as a drained one does,
 * but for the countries that have been led back.
 */
export interface Hold {
  readonly cluster: string;
  /** Since when, however often it was down again meanwhile, and by whom, for people; in milliseconds since the epoch, whole seconds. */
  readonly sinceMs: number;
  readonly by: string;
  /** For how long it has been seen healthy since it was down last, as far as anybody wrote it down. */
  readonly healthySeconds: number;
  /** Who has been led back. */
  readonly back: Progress;
}

/** The clusters that are held, by policy. */
export type Holds = ReadonlyMap<string, readonly Hold[]>;
