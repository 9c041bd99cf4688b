import { InputError, type Notice } from '../../model/problem.ts';
import { withoutUrlSecrets } from '../../model/secrets.ts';

/** Every reason of a refusal or notice of this room, with what it means. */
export const steeringReasons = {
  NoPolicy: 'No traffic policy of these files uses the host, the provider or the zone that was asked for.',
  NoAddress: 'None of the clusters of a policy has a public entry address, so there would be nothing to answer.',
  MissingCredentials: 'The environment does not hold what the provider asks of whoever wants to read or write a zone.',
  UnknownCountry: 'Not a country that answers can be given for.',
  FailoverMerged:
    'The failover list is longer than the provider can order exactly: the last choices share one step, in no order.',
  FailoverCut:
    'With so many countries of their own there is room for two choices only; when both are down the first one answers.',
  WeightsRounded: 'The weights cannot be written exactly as whole numbers up to 255; the shares differ slightly.',
  HealthIntervalOfServer: 'PowerDNS checks health at the interval of its own setting, without a failure threshold.',
  PlanDisagrees:
    'The records, read as the provider reads them, do not give the answers of the policy. A fault of ours.',
  TooManyRecords: 'More records for one name than the provider allows.',
  UnownedRecord: 'A record of the same name exists that Tideline did not write; it is never touched.',
  UnreadableRegistry: 'The generation record of the zone is not in a form that this version understands.',
  StaleGeneration: 'Somebody else changed the zone since it was read; plan again.',
  PlanChanged: 'The plan is no longer the one that was approved: the files or the zone changed since.',
  NeedsApproval: 'The plan moves more traffic than the guard of the policy allows; a person must approve the share.',
  Drift: 'Records that Tideline wrote were changed by somebody else; applying the plan puts them back.',
  ZoneMissing: 'The provider has no such zone.',
  ZoneAmbiguous: 'The provider has several public zones of this name; delete those that nothing delegates to.',
  BatchTooLarge: 'The records of one host do not fit in one atomic batch of the provider.',
  ProviderRefused: 'The provider refused the request.',
  ProviderUnreachable: 'The provider did not answer.',
  AnswerTooLarge: 'The answer of the provider is larger, or nested deeper, than any answer that we ask for.',
  PlainHttp: 'Warning: keys are sent over plain HTTP to another host, where anybody on the way can read them.',
  ReadOnly: 'A plan tried to write. A fault of ours; the transport refused it.',
} as const;

export type SteeringReason = keyof typeof steeringReasons;

/**
 * A refusal while planning or applying whose cause is the zone, the provider or ourselves. Nothing is written after it is
 * thrown.
 */
export class SteeringError extends Error {
  readonly reason: SteeringReason;
  constructor(reason: SteeringReason, message: string, options?: ErrorOptions) {
    super(`${withoutUrlSecrets(message)} (${reason})`, options);
    this.name = 'SteeringError';
    this.reason = reason;
  }
}

/** An error for what a person wrote and cannot be done; `fix` says what to change. Commands print it and exit with code 2. */
export function badInput(reason: SteeringReason, message: string, fix: string): InputError {
  return new InputError({ reason, message, fix });
}

/** The error that every dialect throws for a policy without any address to answer with. */
export function noAddress(policy: string): InputError {
  return badInput(
    'NoAddress',
    `no cluster of policy ${policy} has a public entry address`,
    'give a cluster that it names an anycast address (spec.entry.anycast) or a public VIP (spec.vips of its EdgePool)',
  );
}

/** The error for missing credentials. `variables` are all that the provider requires, present or not. */
export function missingCredentials(provider: string, variables: readonly string[]): InputError {
  return badInput(
    'MissingCredentials',
    `the provider ${provider} needs ${variables.join(' and ')} in the environment`,
    'set it, or leave the provider out with --provider',
  );
}

/** What a person should know about a plan that is applied all the same. */
export type SteeringNotice = Notice<SteeringReason>;
