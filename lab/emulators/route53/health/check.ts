/** The types of health checks that probe an endpoint. */
export const probeTypes = ['HTTP', 'HTTPS', 'HTTP_STR_MATCH', 'HTTPS_STR_MATCH', 'TCP'] as const;
type ProbeType = (typeof probeTypes)[number];

export interface HealthCheckSettings {
  readonly type: ProbeType | 'CALCULATED';
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly path: string | undefined;
  readonly hostName: string | undefined;
  readonly searchString: string | undefined;
  readonly intervalSeconds: 10 | 30;
  readonly failureThreshold: number;
  readonly inverted: boolean;
  readonly disabled: boolean;
  readonly enableSni: boolean;
  /** The regions are only stored and shown, because the emulator's checkers are all in one place. */
  readonly regions: readonly string[];
  /** How many children must be healthy; of a CALCULATED check. */
  readonly healthThreshold: number | undefined;
  readonly children: readonly string[];
}

export interface HealthCheck {
  readonly id: string;
  readonly callerReference: string;
  readonly version: number;
  readonly settings: HealthCheckSettings;
}

/** Route 53 calls an endpoint healthy when more than 18 % of its checkers do. */
const healthyShare = 0.18;

/** The status of an endpoint check, computed from its checkers. */
export function healthyByCheckers(healthyCheckers: number, checkers: number): boolean {
  return checkers === 0 || healthyCheckers / checkers > healthyShare;
}

/**
 * The status that DNS uses. A disabled check counts as healthy, a calculated one by its children's statuses; `inverted` then
 * reverses the status.
 */
export function statusOf(
  settings: HealthCheckSettings,
  endpointHealthy: boolean,
  childHealthy: (id: string) => boolean,
): boolean {
  const healthy =
    settings.disabled || (settings.type === 'CALCULATED' ? calculated(settings, childHealthy) : endpointHealthy);
  return healthy !== settings.inverted;
}

/** With a threshold of 0 the check is always healthy; with one above the number of children, never. */
function calculated(settings: HealthCheckSettings, childHealthy: (id: string) => boolean): boolean {
  return settings.children.filter(childHealthy).length >= (settings.healthThreshold ?? settings.children.length);
}
