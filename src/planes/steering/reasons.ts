import { InputError, type Notice } from '../../model/problem.ts';
import { withoutUrlSecrets } from '../../model/secrets.ts';

/** Every reason of a refusal or notice of this room, with what it means. */
export const steeringReasons = {
  NoPolicy: 'No traffic policy of these files uses the host, the provider or the zone that was asked for.',
  NoAddress: 'None of the clusters of a policy has a public entry address, so there would be nothing to answer.',
  MissingCredentials: 'The environment does not hold what the provider asks of whoever wants to read or write a zone.',
  UnknownCountry: 'Not a country, or not a state of the US, that answers can be given for.',
  BadNetwork: 'Neither an address nor a network of clients.',
  NetworkTooWide:
    'A network that is asked about holds a network that the policy names, so that its users do not all get one answer.',
  StatesUnknown: 'A policy names states of the US, and one of its providers tells only whole countries apart.',
  NetworksGuessed: 'A plan moves users of networks of whom nobody measured how many requests they make.',
  FailoverMerged:
    'The failover list is longer than the provider can order exactly: the last choices share one step, in no order.',
  FailoverCut:
    'Fewer clusters take over than the policy names, for want of levels in the records: the message says for which countries, of which share, which clusters are dropped, and why.',
  PartialHealthCut:
    'More than 100 locations, or networks of clients: for the countries that are named there is no room for a check that counts addresses, so a first choice is left only when none answers.',
  WeightsRounded: 'The weights cannot be written exactly as whole numbers up to 255; the shares differ slightly.',
  HealthIntervalOfServer: 'PowerDNS checks health at the interval of its own setting, without a failure threshold.',
  OnlyStatusOkHealthy:
    'PowerDNS counts an endpoint as healthy only when it answers 200; one that answers 204 or 301 is healthy for Route 53 alone.',
  SlowRecovery:
    'Users are led to a cluster for more than five minutes after it failed; the message says what shortens it.',
  DrainEnded:
    'A Drain is over, and the zone still answers as it did while it was in force; applying the plan ends it there too.',
  FamiliesDiffer:
    'Users are answered by other clusters over IPv6 than over IPv4: some cluster has an address of one family only.',
  NoOtherAllowed:
    'Users are left a single cluster of the policy by its `never`: no other takes over when it fails, and it answers them all the same.',
  PlanDisagrees:
    'The records, read as the provider reads them, do not give the answers of the policy. A fault of ours.',
  CollectionQuota:
    'The account may not have as many collections of networks as the policies need; policies that name the same networks share one.',
  TooManyRecords: 'More records for one name, or in one zone, than the provider allows.',
  RecordTooLarge:
    'One value of a record is longer than the provider can hold: too many countries of the policy have an order of clusters of their own.',
  UnownedRecord:
    'A record of the same name exists that Tideline did not write; it is never touched, and the host is held back while others are planned.',
  BelowDelegation:
    'A name between the zone and the host is delegated to other name servers, which answer for the host instead.',
  NotDelegated:
    'The parent of the zone delegates it to none of the name servers that the provider has for it, so nobody gets these answers.',
  BelowRedirection: 'A DNAME above the host answers for it, whatever its records say.',
  LedElsewhere: 'An HTTPS or SVCB record beside the host leads clients past the answers of the policy.',
  WildcardHidden:
    'Names below a wildcard host have records of others, so the wildcard does not answer for them or for names below them.',
  NotAdoptable: 'A record of the host is managed by another service of the provider, and cannot be replaced by ours.',
  NotOwned: 'The host is not one of those that Tideline answers for in the zone, so there is nothing to release.',
  UnreadableKept: 'A file that should hold the records that an adoption replaced holds something else.',
  NetworksLost:
    'Plain records of one name cannot have networks beside countries: users of networks get the answer of their country.',
  FailoverLost: 'Plain records have no health checks: no other cluster answers when one fails.',
  WeightsLost:
    'Plain records of one name cannot have both countries and weights: the addresses of a country are equal.',
  ScriptStays: 'The script of the host answers as before, and Tideline changes it no more.',
  UnreadableRegistry:
    'The generation record of the zone is not in a form that this version understands, or is gone while hosts of ours are left.',
  StaleGeneration:
    'Somebody else changed the zone since it was read; the message says who, where the zone knows it. Plan again.',
  WriteOverlapped:
    'Another writer wrote the zone at the same moment, where the provider cannot keep them apart; plan and apply again, which repairs it.',
  PlanChanged: 'The plan is no longer the one that was approved: the files or the zone changed since.',
  UnreadablePlan: 'What --plan names is neither a checksum nor a file that `tideline steering plan --out` wrote.',
  NeedsApproval: 'The plan moves more traffic than the guard of the policy allows; a person must approve the share.',
  Frozen: 'The platform is frozen: nothing is written until it is thawed, unless a person says so for this once.',
  QuotaUnknown:
    'The provider did not say how many health checks and records there may be: what does not fit fails while it is applied.',
  HealthCheckQuota:
    'The account may not have as many health checks as the plan needs; the plan only retires and deletes unused ones, or is refused.',
  HealthUnknown:
    'The provider does not yet know whether the endpoint of a new health check is healthy, so records must not use it.',
  HealthCheckGone:
    'Records that answer for a host of the plan use a health check that the account does not have: it was deleted, or is of another account.',
  HealthCheckOfOthers:
    'Records that answer for a host of the plan use a health check of somebody else; the plan is judged by what it says now.',
  HealthCheckOverridden:
    'Somebody disabled or inverted a health check of ours at the provider, so that it does not say what the endpoint does.',
  HealthDisagrees:
    'A new health check fails where the one in use succeeds: taking it over would take a working cluster out of DNS.',
  UnknownGeneration: 'No apply that was finished wrote this generation, as far as the zone remembers.',
  InputsGone:
    'The zone does not hold what that apply was made from: only that of the last 16 applies is kept, and none that is too large for one record.',
  ProvidersApart:
    'The zone is at several providers, which count generations apart; --provider says which one is meant.',
  NoLongerHolds:
    'The earlier policies name a cluster that is gone, has other addresses, or must not be reached by their users today.',
  HeldBack: 'A cluster was down and stands last in the order of its users until they return as spec.failback says.',
  NotHeld: 'The zone does not hold the cluster back for that policy, so there is nobody to return.',
  FailbackNeedsAgent:
    'A policy says how users return to a cluster that was down; only the steering agent, in the mode automatic, can see to that.',
  FailbackUnseen:
    'The provider tells nobody what its health checks say, so no agent can see to how users return; they return at once.',
  FailbackPartly:
    'Some addresses of a cluster are down and it is a first choice by others: `spec.failback` holds a cluster back only when too few answer for that in every family.',
  DrainsOfToday: 'A cluster was drained then and is not now, or the other way round; a rollback changes no drain.',
  SpecSaysOtherwise:
    'The platform spec still says what a rollback took back: the next apply of it undoes the rollback.',
  ClockWrong:
    'The clock of this machine, or of one that applied before, is wrong: what was moved lately and which Drains are in force cannot be judged.',
  OverlayMoves: 'Users are answered otherwise because a TrafficOverlay that is in force says so.',
  OverlayReturns: 'Users are answered as the policy says again, because a TrafficOverlay ended or was rejected.',
  OverlayReturning:
    'A TrafficOverlay has ended, and its users are led back in steps, as large and as far apart as spec.failback says.',
  OverlayReturnWaits:
    'A TrafficOverlay has ended, and the guard of its policy does not allow the next step of its users back yet.',
  OverlayWaits: 'A TrafficOverlay, or a new version of one, waits until a person approves or rejects it.',
  OverlayEnded:
    'A TrafficOverlay, or a new version of one, ended before a person approved it; it leads nobody, and cannot be approved any more.',
  OverlayExpired: 'A TrafficOverlay has ended and stays in force; somebody must look after what it moved.',
  OverlaySilent: 'The owner of a TrafficOverlay does not renew it any more; it stays in force.',
  OverlayBroken:
    'A TrafficOverlay is passed over for countries, because the policy does not allow it or a cluster is gone.',
  RolledBack: 'The last apply was a rollback, and this plan leads away from it.',
  Drift: 'Records that Tideline wrote were changed by somebody else; applying the plan puts them back.',
  ZoneMissing: 'The provider has no such zone.',
  ZoneAmbiguous: 'The provider has several public zones of this name; delete those that nothing delegates to.',
  BatchTooLarge: 'The records of one host do not fit in one atomic batch of the provider.',
  ProviderRefused: 'The provider refused the request.',
  ProviderUnreachable: 'The provider did not answer.',
  AnswerTooLarge: 'The answer of the provider is larger, or nested deeper, than any answer that we ask for.',
  PlainHttp: 'Warning: keys are sent over plain HTTP to another host, where anybody on the way can read them.',
  ReleasedDrained:
    'A host is released while a cluster of its policy is drained: its plain records never return users to that cluster.',
  ZoneFileUnreadable: 'The zone file that an import names cannot be read, or is not of the form that it should have.',
  FileNotWritten: 'A file that a command was asked to write could not be written.',
  DemandUnreadable:
    'The file by which a plan should weigh countries cannot be read, or is not of the form that it should have.',
  SeveralDown: 'What a zone answers is known while one cluster is down; the question named several.',
  InputInvalid:
    'The newest platform spec is not valid, so that the last good one is in force; nothing is applied by itself on top of that.',
  InputUnread:
    'An API that is a source of the platform spec cannot be read and may say something else by now; nothing is applied by itself.',
  InputDoubted:
    'A change of the platform spec looks like a mistake and is not made yet; nothing is applied by itself until that is settled.',
  InputContradicts:
    'An object of the platform spec is not in force as it stands there; nothing is applied by itself until it is corrected.',
  PolicyGone:
    'No TrafficPolicy names a zone any more in which hosts of ours are left: a file is missing, or `tideline steering remove` is due.',
  HealthUnseen:
    'A plan moves users of a policy of which the health of no entry is known: it may lead them to what is down, so a person decides.',
  AppliedTooOften:
    'The zone was applied many times in the last ten minutes: perhaps two agents or pipelines want different things of it.',
  OnlyRecommended: 'The agent was started to recommend: it never writes, and a person applies what it plans.',
  AnsweredOtherwise:
    'What the agent applied is in the zone, and a name server of it is silent or answers otherwise; it is asked again at each look.',
  StandsBy: 'Another agent holds the Lease and applies; this one would take over.',
  Interrupted: 'The agent was asked to end while it worked; whoever plans next goes on from what is done.',
  AgentFault: 'The agent failed in a way that has no name. A fault of ours; it tries again.',
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
