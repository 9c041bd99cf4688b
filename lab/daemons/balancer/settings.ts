import type { Location } from '../../../src/model/geo/locations.ts';
import type { Backend } from '../../emulators/balancer/backend.ts';

export type { Backend } from '../../emulators/balancer/backend.ts';

/** The settings of a front end: a JSON file, whose path is the program's one argument. */
export interface BalancerSettings {
  /** The region in which it stands. */
  readonly frontEnd: string;
  readonly addresses: readonly string[];
  readonly certificate: { readonly chainFile: string; readonly keyFile: string };
  readonly admin: { readonly address: string; readonly port: number };
  readonly others: readonly { readonly frontEnd: string; readonly url: string }[];
  /** Where each region is: the nearest by the surface of the Earth comes first. */
  readonly regions: Readonly<Record<string, Location>>;
  readonly check: { readonly path: string; readonly intervalMs: number; readonly timeoutMs: number };
  readonly drainSteadyMs: number;
  /** A JSON file with the backends; it may be replaced at any time. */
  readonly backendsFile: string;
}

export type BackendsFile = readonly Backend[];
