import type { CountingCheck } from '../../../src/planes/steering/compile/counting.ts';
import type { HealthCheck } from '../../../src/planes/steering/compile/entries.ts';
import type { CheckSettings } from '../../../src/planes/steering/records/checks.ts';

/** The settings that a provider gives to a new check; one that counts others has no endpoint. */
export function newSettings(check: HealthCheck | CountingCheck): CheckSettings {
  const { port, host, failureThreshold } =
    'children' in check ? { port: 0, host: '', failureThreshold: 0 } : { ...check, host: check.hosts[0] ?? '' };
  return { port, host, failureThreshold, disabled: false, inverted: false };
}
