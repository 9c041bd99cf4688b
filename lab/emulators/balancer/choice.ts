import { type Backend, roomOf } from './backend.ts';
import { type Drained, type HealthOfBackend, nextDrained } from './drain.ts';
import { afterCheck, type EndpointHealth, type Thresholds, unseen } from './probes.ts';
import { Turns } from './turns.ts';
import { type Arrival, type WaterfallInput, waterfall } from './waterfall.ts';

export interface Target {
  readonly backend: Backend;
  readonly endpoint: string;
}

export interface ChoiceRules {
  readonly frontEnd: string;
  readonly distance: WaterfallInput['distance'];
  readonly failoverThreshold: number;
  readonly thresholds: Thresholds;
  /** Present when auto-capacity draining is on: how long a backend must be well before it comes back. */
  readonly drainSteadyMs?: number;
}

/** The choice of one front end: what it knows of backends, and whose turn it is. It has no effects; time is handed in. */
export class Choice {
  readonly #rules: ChoiceRules;
  #backends: readonly Backend[] = [];
  #health = new Map<string, EndpointHealth>();
  #drained: Drained = new Map();
  #weights: ReadonlyMap<string, number> = new Map();
  readonly #turns = new Turns();
  readonly #endpointTurns = new Map<string, Turns>();

  constructor(rules: ChoiceRules) {
    this.#rules = rules;
  }

  get endpoints(): readonly string[] {
    return this.#backends.flatMap(({ endpoints }) => endpoints);
  }

  /** Takes the configuration. Health of endpoints that stay is kept. */
  configure(backends: readonly Backend[]): void {
    this.#backends = backends;
    this.#health = new Map(this.endpoints.map((endpoint) => [endpoint, this.#health.get(endpoint) ?? unseen]));
  }

  checked(endpoint: string, passed: boolean): void {
    const before = this.#health.get(endpoint);
    if (before !== undefined) this.#health.set(endpoint, afterCheck(before, passed, this.#rules.thresholds));
  }

  /** Computes the shares of the backends anew, from what arrives here and at the other front ends. */
  plan(arrivals: readonly Arrival[], nowMs: number): void {
    const { frontEnd, distance, failoverThreshold, drainSteadyMs } = this.#rules;
    const health = this.#backends.map((backend) => this.#healthOf(backend));
    if (drainSteadyMs !== undefined)
      this.#drained = nextDrained(this.#drained, health, { nowMs, steadyMs: drainSteadyMs });
    const rooms = this.#backends.map((backend) =>
      roomOf(backend, this.#healthOf(backend).healthy, this.#drained.has(backend.name)),
    );
    // A front end that nobody has asked yet needs shares for its first request.
    const input = arrivals.map((one) => ({ ...one, requestsPerSecond: Math.max(one.requestsPerSecond, 0.001) }));
    const flows = waterfall({ arrivals: input, rooms, distance, failoverThreshold });
    this.#weights = new Map(
      flows.flatMap((flow) => (flow.frontEnd === frontEnd ? [[flow.backend, flow.requestsPerSecond]] : [])),
    );
  }

  /** The endpoint for the next request, of those that are healthy; another one than `not` where there is one. */
  next(not?: string): Target | undefined {
    const usable = new Map(
      [...this.#weights].filter(([name]) => this.#healthyEndpoints(name).some((endpoint) => endpoint !== not)),
    );
    const name = this.#turns.next(usable.size > 0 ? usable : this.#weights);
    const backend = this.#backends.find((one) => one.name === name);
    if (backend === undefined) return undefined;
    const healthy = this.#healthyEndpoints(backend.name);
    const others = healthy.filter((endpoint) => endpoint !== not);
    const turns = this.#endpointTurns.get(backend.name) ?? new Turns();
    this.#endpointTurns.set(backend.name, turns);
    const endpoint = turns.next(new Map((others.length > 0 ? others : healthy).map((one) => [one, 1])));
    return endpoint === undefined ? undefined : { backend, endpoint };
  }

  status() {
    return this.#backends.map((backend) => ({
      ...this.#healthOf(backend),
      region: backend.region,
      drained: this.#drained.has(backend.name),
      requestsPerSecond: this.#weights.get(backend.name) ?? 0,
    }));
  }

  #healthyEndpoints(name: string): readonly string[] {
    const endpoints = this.#backends.find((backend) => backend.name === name)?.endpoints ?? [];
    return endpoints.filter((endpoint) => this.#health.get(endpoint)?.healthy === true);
  }

  #healthOf({ name, endpoints }: Backend): HealthOfBackend {
    return { backend: name, healthy: this.#healthyEndpoints(name).length, endpoints: endpoints.length };
  }
}
