import type { Answers } from '../../../answers/answers.ts';
import type { MeasuredRates } from '../../../model/country-weights.ts';
import type { ScalingTarget } from '../../../model/spec/kinds.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import type { ScalingFinding } from '../reasons.ts';

/** Everything that floors are computed from. */
export interface ScalingWorld {
  readonly platform: Platform;
  /** By policy: who is led where, with the drains and holds that are in force. */
  readonly answers: ReadonlyMap<string, Answers>;
  readonly demand: ScalingDemand;
  readonly health: PresentHealth;
  /** Clusters that a Drain takes out of service: nobody promises that their machines run. */
  readonly drained: ReadonlySet<string>;
}

/** What health checks say now, made from where the command runs. */
export interface PresentHealth {
  /** Clusters of which no entry address answers as it should: they are lost already. */
  readonly down: ReadonlySet<string>;
  /** Why nothing is known of it; absent where somebody answered. Then no cluster is `down`. */
  readonly unknown?: string;
}

export interface ScalingDemand {
  readonly rates: MeasuredRates;
  /** Requests a second of users whose country is not known. */
  readonly unknownPerSecond: number;
  /** By policy, the share (0..1) of these requests that is for its hosts. */
  readonly shares: ReadonlyMap<string, number>;
  /** Who should have measured and did not, as a clause for each; empty where all did. */
  readonly unheard: readonly string[];
  /** Requests may be so many times what was measured before anybody notices: 1.2 is a fifth more. */
  readonly factor: number;
  /** Where the rates are a forecast, with its margins: what it is made of, as a clause. */
  readonly basis?: string;
  /** What speaks against that forecast. */
  readonly doubts?: readonly ScalingFinding[];
}

/** How full servers and replicas may get where the Cluster does not say. */
const usual = { normal: 0.7, emergency: 0.9 };

/** The share of what a cluster can serve that may be used: day by day, or while something is lost, which is never less. */
export function utilisationOf(platform: Platform, cluster: string, lost: boolean): number {
  const { normal, emergency } = platform.clusters.get(cluster)?.spec.utilisation ?? usual;
  return lost ? Math.max(normal, emergency) : normal;
}

/** The targets of a platform by name, in the order of their names. */
export function targetsOf(platform: Platform): readonly (readonly [string, ScalingTarget])[] {
  return [...platform.scalingTargets].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
