import { neverGroups } from '../../../answers/answers.ts';
import { percent } from '../../../answers/distribution.ts';
import { familyOf, type HealthCheck } from '../compile/entries.ts';
import { recoveryText } from '../compile/recovery.ts';
import { type CheckChanges, changesText } from '../records/checks.ts';
import type { Quotas } from '../records/quota.ts';
import type { HeldBack } from '../records/scope.ts';
import type { Outcome } from './apply.ts';
import { formatCountries } from './countries-text.ts';
import type { DepthChange } from './depth.ts';
import { appliesText, failuresBeyond, gainsOf, isoTime, lostText, overGuardText } from './guard.ts';
import { renderHealth, renderWholeHealth } from './health-text.ts';
import { type FamilyImpact, type HostImpact, worstShare } from './impact.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan.ts';
import { recordLines } from './record-text.ts';
import type { Window } from './window.ts';

/** The lines of plans as a person reads them; the last one is the checksum that `apply` takes. */
export function renderPlans(plans: readonly ZonePlan[]): readonly string[] {
  const lines = plans.flatMap(renderPlan);
  if (plans.every(isEmpty)) return [...lines, nothingToDo(plans.some(({ heldBack }) => heldBack.length > 0))];
  return [...lines, `plan ${checksumOf(plans)}`];
}

/** One line for each zone that was written and each host that was not, without the failure that ended the work. */
export function renderOutcome({ checksum, applied, heldBack, inForce = [] }: Outcome): readonly string[] {
  if (inForce.length > 0) {
    return inForce.map(
      ({ provider, zone, generation, by, atMs }) =>
        `${provider} zone ${zone}: plan ${checksum} is in force already, generation ${generation}, applied by ${by} at ${isoTime(atMs)}`,
    );
  }
  const written = applied.map(
    ({ provider, zone, generation }) => `${provider} zone ${zone}: generation ${generation} answers`,
  );
  return [
    ...(written.length === 0 ? [nothingToDo(heldBack.length > 0)] : written),
    ...heldBack.map(({ provider, zone, ...held }) => `${provider} zone ${zone}: ${heldBackText(held)}`),
  ];
}

const nothingToDo = (held: boolean): string => (held ? 'nothing to do for the other hosts' : 'nothing to do');

function heldBackText({ host, reason, message }: HeldBack): string {
  return `${host} is held back and stays as it is: ${message} (${reason})`;
}

function renderPlan(plan: ZonePlan): readonly string[] {
  const { changes, batches } = plan;
  const title = `${plan.provider} zone ${plan.zone}, generation ${changes.registryBefore.generation}${taskText(plan)}`;
  const held = plan.heldBack.map((one) => `  ! ${heldBackText(one)}`);
  const isWhole = held.length === 0;
  if (isEmpty(plan)) {
    return [
      `${title}: ${isWhole ? 'as wanted' : 'the other hosts are as wanted'}`,
      ...held,
      ...renderWholeHealth(plan.health),
      ...renderNotices(plan),
      '',
    ];
  }
  return [
    title,
    ...held,
    ...(isQuiet(plan) ? renderWholeHealth : renderHealth)(plan.health),
    ...plan.impacts.flatMap((impact) => [
      ...renderImpact(impact, plan.weights.basis),
      ...renderWindow(plan.windows.get(impact.host)),
    ]),
    ...plan.recoveries.map((one) => `  time to recover of ${one.policy} when one fails: ${recoveryText(one)}`),
    ...renderNotices(plan),
    ...renderHealthChecks(plan),
    ...renderCollections(plan),
    `  records: ${changes.delete.length} to delete, ${changes.create.length} to create`,
    ...recordLines(changes).map((line) => `    ${line}`),
    `  ${count(batches.length, 'atomic batch', 'atomic batches')}: ${batches.map((batch) => `${batch.changes.length} changes`).join(', ')}`,
    ...renderVerification(plan),
    ...plan.overGuard.map((over) => `  ! ${overGuardText(over)} (NeedsApproval)`),
    '',
  ];
}

/** True where something is written and nobody is answered otherwise, now or after a failure. */
function isQuiet({ impacts }: ZonePlan): boolean {
  return impacts.every((impact) => worstShare(impact) === 0 && impact.depth.length === 0);
}

function taskText({ task }: ZonePlan): string {
  if (task.kind === 'everything') {
    const { rollback, returned, holds } = task;
    if (returned !== undefined) return `, users return to ${returned.cluster} of ${returned.policy}`;
    if (holds !== undefined) return holds.word === 'hold' ? ', clusters are held back' : ', users return';
    return rollback === undefined ? '' : `, back to generation ${rollback}`;
  }
  return task.kind === 'remove' ? ', what no policy names is removed' : `, ${task.kind} ${task.host}`;
}

function renderImpact(impact: HostImpact, basis: string): readonly string[] {
  const { host, movedShare, movedNow, families } = impact;
  const present = families.flatMap(({ type, now }) => (now === undefined ? [] : [{ type, ...now }]));
  const moves =
    movedNow === undefined
      ? `${percent(movedShare)} of the traffic moves while everything is healthy`
      : `${percent(movedNow)} of the traffic moves now, ${percent(movedShare)} while everything is healthy`;
  return [
    `  ${host}: ${moves} (${basis})`,
    ...(present.length === 0
      ? renderWorld(families)
      : [
          '    now:',
          ...renderWorld(present).map((line) => `  ${line}`),
          '    while everything is healthy:',
          ...renderWorld(families).map((line) => `  ${line}`),
        ]),
    ...renderFailures(impact),
    ...renderDepth(impact),
  ];
}

/** Who has more or fewer choices than before, the most traffic first; once where both families have the same. */
function renderDepth({ depth, families }: HostImpact): readonly string[] {
  const byFamily = families.map(({ type }) => ({
    type,
    lines: depth.filter((one) => one.type === type).map(depthText),
  }));
  const isAlike = new Set(byFamily.map(({ lines }) => lines.join())).size < 2;
  const all = isAlike
    ? (byFamily[0]?.lines ?? [])
    : byFamily.flatMap(({ type, lines }) => lines.map((line) => `${familyOf(type)}: ${line}`));
  const left = all.length - mostDepths;
  return [
    ...all.slice(0, mostDepths).map((line) => `    ${line}`),
    ...(left > 0 ? [`    and ${left} more orders in which choices are lost or gained`] : []),
  ];
}

const mostDepths = 8;

function depthText({ before, after, choices, countries, share }: DepthChange): string {
  const change = choices.after < choices.before ? 'loses' : 'gains';
  return `${percent(share)} ${change} choices, ${before} -> ${after}: ${formatCountries(countries)}`;
}

function renderWindow(window: Window | undefined): readonly string[] {
  if (window === undefined) return [];
  const { minutes, displaced } = window;
  return [
    `    in the last ${minutes} minutes: ${appliesText(window)}`,
    `    with this plan ${percent(displaced.after)} would be answered otherwise than before that (now ${percent(displaced.before)})`,
  ];
}

type Shown = Pick<FamilyImpact, 'type' | 'movedShare' | 'groups'>;

/** The groups of both families, once where both have the same. */
function renderWorld(families: readonly Shown[]): readonly string[] {
  const [first, second] = families;
  const alike = first === undefined || second === undefined || sameGroups(first, second);
  if (alike) return (first?.groups ?? []).map((group) => `    ${groupText(group)}`);
  return families.flatMap(({ type, movedShare, groups }) => [
    `    ${familyOf(type)}: ${percent(movedShare)}`,
    ...groups.map((group) => `      ${groupText(group)}`),
  ]);
}

const sameGroups = (a: Shown, b: Shown): boolean =>
  a.groups.map(groupText).join('\n') === b.groups.map(groupText).join('\n');

function groupText({ before, after, allAtOnce, countries }: FamilyImpact['groups'][number]): string {
  const change = before === after ? `${after}, ${sameText(allAtOnce)}` : `${before} -> ${after}`;
  return `${change}: ${formatCountries(countries)}`;
}

function sameText(allAtOnce: 'before' | 'after' | undefined): string {
  if (allAtOnce === undefined) return 'as before';
  return allAtOnce === 'before'
    ? 'of which each user gets one; before, each got all of them at once'
    : 'of which each user gets all at once; before, each got one of them';
}

/** What each failure of one cluster would do otherwise than now, where that is more than moves anyhow, and whom it spares. */
function renderFailures(impact: HostImpact): readonly string[] {
  return [
    ...failuresBeyond(impact).map(
      (failure) =>
        `    while ${failure.cluster} is down: ${percent(failure.movedShare)} is answered otherwise${lostText(failure)}`,
    ),
    ...gainsOf(impact).map(
      ({ cluster, gainedShare }) =>
        `    while ${cluster} is down: ${percent(gainedShare)} is answered by another, and was led to ${cluster} itself before`,
    ),
  ];
}

function renderNotices({ notices }: ZonePlan): readonly string[] {
  return notices.map(({ reason, message }) => `  note: ${message} (${reason})`);
}

function renderHealthChecks({ checks, quotas }: ZonePlan): readonly string[] {
  const lines = [
    ...checks.delete.map((id) => `    - ${id}, which an earlier apply retired`),
    ...checks.retire.map((id) => `    - ${id} is retired; an apply deletes it an hour later or after that`),
    ...checks.create.map(
      (check) =>
        `    + ${check.key} ${check.protocol} ${check.address}:${check.port}${check.path}${searchText(check)} every ${check.intervalSeconds} s, ${check.failureThreshold} in a row`,
    ),
    ...checks.createCounting.map(
      ({ key, children, atLeast }) => `    + ${key} healthy while at least ${atLeast} of ${children.join(', ')} are`,
    ),
    ...checks.update.map(
      ({ key, held, after }) => `    ~ ${key} ${changesText(held.settings, after)}, changed in place`,
    ),
    ...(checks.observe.length === 0
      ? []
      : [
          `    ${count(checks.observe.length, 'check takes', 'checks take')} over when the provider knows the health of the endpoint`,
        ]),
  ];
  return lines.length === 0
    ? []
    : [`  health checks${quotas === undefined ? '' : quotaText(quotas, checks)}:`, ...lines];
}

function renderCollections({ checks }: ZonePlan): readonly string[] {
  const { create, retire, delete: gone } = checks.collections;
  const lines = [
    ...gone.map((id) => `    - ${id}, which an earlier apply retired`),
    ...retire.map((id) => `    - ${id} is retired; an apply deletes it an hour later or after that`),
    ...create.map(
      ({ key, locations }) => `    + ${key} ${locations.map(({ networks }) => networks.join(', ')).join('; ')}`,
    ),
  ];
  return lines.length === 0 ? [] : ['  collections of networks:', ...lines];
}

function searchText({ searchString }: HealthCheck): string {
  return searchString === undefined ? '' : ` for ${JSON.stringify(searchString)}`;
}

/** How full the account is, and what the checks of the zone and queries cost. Retired checks count, and cost, until they are deleted. */
function quotaText({ healthChecks, dollarsPerMonth, dollarsPerMillionQueries }: Quotas, checks: CheckChanges): string {
  const { limit, count: now } = healthChecks;
  const then = now + checks.create.length + checks.createCounting.length - checks.delete.length;
  return ` (the account has ${now} of ${limit}, then ${then}; those that this zone uses cost about $${dollarsPerMonth.toFixed(2)} a month, and a million queries for its hosts $${dollarsPerMillionQueries.toFixed(2)})`;
}

function renderVerification({ intent, task }: ZonePlan): readonly string[] {
  if (task.kind === 'release') return [];
  return intent.policies.flatMap(({ policy, answers, verification }) => [
    `  verified: ${policy.metadata.name}, ${verification.countries} locations x ${verification.failureSets} sets of failed clusters`,
    ...neverGroups(answers).map(
      ({ clusters, countries }) => `    in none of them led to ${clusters.join(', ')}: ${formatCountries(countries)}`,
    ),
  ]);
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
