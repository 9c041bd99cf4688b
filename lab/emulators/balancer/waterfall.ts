import type { Room } from './backend.ts';

/** Requests that arrive at the front ends of one place, a second. */
export interface Arrival {
  readonly frontEnd: string;
  readonly requestsPerSecond: number;
}

/** Requests that a front end sends to a backend, a second. */
export interface Flow {
  readonly frontEnd: string;
  readonly backend: string;
  readonly requestsPerSecond: number;
}

export interface WaterfallInput {
  /** One for each place. */
  readonly arrivals: readonly Arrival[];
  readonly rooms: readonly Room[];
  /** How far a region is from a front end, as round-trip time or length of the way. */
  readonly distance: (frontEnd: string, region: string) => number;
  /** `failoverHealthThreshold`, as a share: a backend of which fewer endpoints are healthy sheds load. */
  readonly failoverThreshold: number;
}

/**
 * Which backends the requests of each front end go to (WATERFALL_BY_REGION). The nearest region is filled to its capacity, in proportion to
 * the capacity of its backends, then the next one. Where all are full, each takes more in proportion to its capacity, because a rate is a target
 * and not a limit. Backends below the failover threshold come after the others of their region, and shed a part of what arrives
 * although they have room. Without any healthy endpoint there is no flow.
 */
export function waterfall(input: WaterfallInput): readonly Flow[] {
  const { arrivals, rooms, distance, failoverThreshold } = input;
  const fill = new Fill(
    arrivals,
    rooms.filter(({ capacity }) => capacity > 0),
  );
  const regions = [...new Set(fill.rooms.map(({ region }) => region))];
  const ways = arrivals
    .flatMap(({ frontEnd }) => regions.map((region) => ({ frontEnd, region, far: distance(frontEnd, region) })))
    .toSorted((a, b) => a.far - b.far || compare(a.frontEnd, b.frontEnd) || compare(a.region, b.region));
  for (const { frontEnd, region } of ways) {
    const here = fill.rooms.filter((room) => room.region === region);
    const sound = here.filter(({ healthy }) => healthy >= failoverThreshold);
    const failing = here.filter(({ healthy }) => healthy < failoverThreshold);
    fill.pour(frontEnd, sound, Number.POSITIVE_INFINITY);
    fill.pour(frontEnd, failing, fill.arriving(frontEnd) * keptShare(failing, failoverThreshold));
  }
  for (const { frontEnd, region } of ways)
    fill.pour(
      frontEnd,
      fill.rooms.filter((room) => room.region === region),
      Number.POSITIVE_INFINITY,
    );
  for (const { frontEnd } of arrivals) fill.overload(frontEnd);
  return fill.flows();
}

/**
 * The share of what arrives that backends below the threshold keep: at 35 % healthy with a threshold of 70 %, a half. It is Envoy's rule for
 * priorities, with an overprovisioning factor of one over the threshold.
 */
function keptShare(failing: readonly Room[], threshold: number): number {
  const total = sum(failing.map(({ capacity }) => capacity));
  const kept = sum(failing.map(({ capacity, healthy }) => capacity * Math.min(1, healthy / threshold)));
  return total === 0 ? 0 : kept / total;
}

/** What rounding leaves over. */
const negligible = 1e-9;

/** What is still to be placed, and what each backend has got. */
class Fill {
  readonly rooms: readonly Room[];
  readonly #arriving: ReadonlyMap<string, number>;
  readonly #left: Map<string, number>;
  readonly #spare: Map<string, number>;
  readonly #flows = new Map<string, Map<string, number>>();

  constructor(arrivals: readonly Arrival[], rooms: readonly Room[]) {
    this.rooms = rooms;
    this.#arriving = new Map(arrivals.map(({ frontEnd, requestsPerSecond }) => [frontEnd, requestsPerSecond]));
    this.#left = new Map(this.#arriving);
    this.#spare = new Map(rooms.map(({ backend, capacity }) => [backend, capacity]));
  }

  arriving(frontEnd: string): number {
    return this.#arriving.get(frontEnd) ?? 0;
  }

  /** Places at most `limit` of what the front end has left, in proportion to what the rooms have to spare. */
  pour(frontEnd: string, rooms: readonly Room[], limit: number): void {
    const spare = sum(rooms.map(({ backend }) => this.#spare.get(backend) ?? 0));
    const amount = Math.min(this.#left.get(frontEnd) ?? 0, spare, limit);
    if (amount <= negligible) return;
    const shares = rooms.map(({ backend }) => [backend, (this.#spare.get(backend) ?? 0) / spare] as const);
    for (const [backend, share] of shares) this.#place(frontEnd, backend, amount * share);
  }

  /** Places all that the front end has left, in proportion to the capacities. */
  overload(frontEnd: string): void {
    const total = sum(this.rooms.map(({ capacity }) => capacity));
    const amount = this.#left.get(frontEnd) ?? 0;
    if (total <= 0 || amount <= negligible) return;
    for (const { backend, capacity } of this.rooms) this.#place(frontEnd, backend, (amount * capacity) / total);
  }

  #place(frontEnd: string, backend: string, amount: number): void {
    const flows = this.#flows.get(frontEnd) ?? new Map<string, number>();
    this.#flows.set(frontEnd, flows.set(backend, (flows.get(backend) ?? 0) + amount));
    this.#left.set(frontEnd, Math.max(0, (this.#left.get(frontEnd) ?? 0) - amount));
    this.#spare.set(backend, Math.max(0, (this.#spare.get(backend) ?? 0) - amount));
  }

  flows(): readonly Flow[] {
    return [...this.#flows].flatMap(([frontEnd, flows]) =>
      [...flows].flatMap(([backend, requestsPerSecond]) =>
        requestsPerSecond > negligible ? [{ frontEnd, backend, requestsPerSecond }] : [],
      ),
    );
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
