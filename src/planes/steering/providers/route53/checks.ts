import {
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  type HealthCheckConfig,
  type Route53Client,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53';
import { withoutUndefined } from '../../../../model/values.ts';
import type { CountingCheck } from '../../compile/counting.ts';
import type { HealthCheck } from '../../compile/entries.ts';
import { SteeringError } from '../../reasons.ts';
import type { CheckUpdate } from '../../records/checks.ts';
import type { ZoneState } from '../provider.ts';
import { callerReference, toCountingConfig, toHealthCheckConfig } from './convert.ts';
import { asSteeringError, errorName, type RetryOptions, retrying } from './retry.ts';

/** Creates those of the checks that the zone does not have; resolves with the identifiers of all, by key. */
export async function createMissing(
  client: Route53Client,
  options: RetryOptions,
  wanted: {
    readonly state: ZoneState;
    readonly checks: readonly (HealthCheck | CountingCheck)[];
    readonly generation: number;
  },
): Promise<ReadonlyMap<string, string>> {
  const { state, checks, generation } = wanted;
  const ids = new Map([...state.healthChecks].map(([key, { id }]) => [key, id]));
  for (const check of checks) {
    if (ids.has(check.key)) continue;
    const HealthCheckConfig = 'children' in check ? toCountingConfig(check, ids) : toHealthCheckConfig(check);
    const made = { key: check.key, HealthCheckConfig };
    ids.set(check.key, await create(client, options, made, { zoneId: state.zoneId, generation }));
  }
  return ids;
}

/** So many caller references are tried before a creation is given up. */
const references = 5;

/**
 * Route 53 never takes the caller reference of a check that was deleted, nor that of one with other settings, as a plan of the
 * same generation may have made: then another reference is tried.
 */
async function create(
  client: Route53Client,
  options: RetryOptions,
  { key, HealthCheckConfig }: { readonly key: string; readonly HealthCheckConfig: HealthCheckConfig },
  { zoneId, generation }: { readonly zoneId: string; readonly generation: number },
): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const command = new CreateHealthCheckCommand({
      CallerReference: callerReference(zoneId, key, generation, attempt),
      HealthCheckConfig,
    });
    try {
      const { HealthCheck } = await retrying(options, () => client.send(command));
      if (HealthCheck?.Id !== undefined) return HealthCheck.Id;
      throw new SteeringError('ProviderRefused', 'Route 53 created a health check and did not name it');
    } catch (error) {
      if (errorName(error) !== 'HealthCheckAlreadyExists' || attempt === references)
        throw asSteeringError(error, 'create a health check');
    }
  }
}

/** Changes a check in place; a check that somebody changed since it was read stays as it is. */
export async function updateHealthCheck(
  client: Route53Client,
  options: RetryOptions,
  { held, after, counts }: CheckUpdate,
): Promise<void> {
  const endpoint = {
    Port: after.port,
    FullyQualifiedDomainName: after.host,
    FailureThreshold: after.failureThreshold,
    ...withoutUndefined({ SearchString: after.searchString }),
  };
  const command = new UpdateHealthCheckCommand({
    HealthCheckId: held.id,
    HealthCheckVersion: held.version,
    ...(counts === true ? {} : endpoint),
    Disabled: after.disabled,
    Inverted: after.inverted,
  });
  let maybeDone = false;
  const sent = retrying(
    options,
    () => client.send(command),
    () => {
      maybeDone = true;
    },
  );
  try {
    await sent;
  } catch (error) {
    const isChanged = errorName(error) === 'HealthCheckVersionMismatch';
    // The first attempt, whose answer was lost, has counted the version up. If it was somebody else, the next plan shows it.
    if (isChanged && maybeDone) return;
    if (!isChanged && errorName(error) !== 'NoSuchHealthCheck') throw asSteeringError(error, 'change a health check');
    const message = `the health check ${held.id} was changed or deleted since it was read; plan again`;
    throw new SteeringError('StaleGeneration', message, { cause: error });
  }
}

/** Deletes a check. One that does not exist counts as deleted: by a request whose answer was lost, or by another writer. */
export async function deleteHealthCheck(
  client: Route53Client,
  options: RetryOptions,
  HealthCheckId: string,
): Promise<void> {
  try {
    await retrying(options, () => client.send(new DeleteHealthCheckCommand({ HealthCheckId })));
  } catch (error) {
    if (errorName(error) !== 'NoSuchHealthCheck') throw asSteeringError(error, 'delete a health check');
  }
}
