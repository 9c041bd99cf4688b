/** The endpoints of one service in one zone: a zonal network endpoint group (NEG) with the balancing mode RATE. */
export interface Backend {
  /** Unique. */
  readonly name: string;
  readonly region: string;
  readonly zone: string;
  /** `maxRatePerEndpoint`: the requests a second at which an endpoint counts as full. It is a target, not a limit. */
  readonly maxRatePerEndpoint: number;
  /** `capacityScaler`: 0, or from 0.1 to 1. With 0 nothing new is sent to the backend: it is drained by hand. */
  readonly capacityScaler: number;
  /** `address:port` of each pod. */
  readonly endpoints: readonly string[];
}

/** A backend as far as the choice of a region needs it. */
export interface Room {
  readonly backend: string;
  readonly region: string;
  /** Requests a second that it takes before it counts as full. */
  readonly capacity: number;
  /** Share of its endpoints that pass their health checks, from 0 to 1. */
  readonly healthy: number;
}

/** The room of a backend: only endpoints that pass their health checks count, and none of a drained backend. */
export function roomOf(backend: Backend, healthy: number, drained: boolean): Room {
  const { name, region, maxRatePerEndpoint, capacityScaler, endpoints } = backend;
  return {
    backend: name,
    region,
    capacity: drained ? 0 : maxRatePerEndpoint * healthy * capacityScaler,
    healthy: endpoints.length === 0 ? 0 : healthy / endpoints.length,
  };
}
