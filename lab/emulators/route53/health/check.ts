/** A health check's configuration, as the API has it. */
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
  /** Stored and shown; the emulator's checkers have no place in the world. */
  readonly regions: readonly string[];
  /** Of a CALCULATED check. */
  readonly healthThreshold: number | undefined;
  readonly children: readonly string[];
}

export interface HealthCheck {
  readonly id: string;
  readonly callerReference: string;
  readonly version: number;
  readonly settings: HealthCheckSettings;
}

/** Route 53: healthy when more than 18 % of the checkers say so. */
const healthyShare = 0.18;

/** An endpoint check's status from its checkers. */
export function healthyByCheckers(healthyCheckers: number, checkers: number): boolean {
  return checkers === 0 || healthyCheckers / checkers > healthyShare;
}

/**
 * The status that DNS uses. A disabled check counts as healthy, a calculated one by its children's statuses; then
 * `inverted` turns it round.
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

/** Threshold 0: always healthy; above the number of children: never. */
function calculated(settings: HealthCheckSettings, childHealthy: (id: string) => boolean): boolean {
  return settings.children.filter(childHealthy).length >= (settings.healthThreshold ?? settings.children.length);
}
