import { formatRecord } from '../../../answers/record.ts';
import { type Continent, continentOf, continents, countriesOf } from '../../../model/geo/countries.ts';
import { type Outcome, percent } from './apply.ts';
import { checksumOf, isEmpty, type ZonePlan } from './plan.ts';

/** The lines of plans as a person reads them; the last one is the checksum that `apply` takes. */
export function renderPlans(plans: readonly ZonePlan[]): readonly string[] {
  const lines = plans.flatMap(renderPlan);
  if (plans.every(isEmpty)) return [...lines, 'nothing to do'];
  return [...lines, `plan ${checksumOf(plans)}`];
}

/** One line for each zone that was written, without the failure that ended the work. */
export function renderOutcome({ applied }: Outcome): readonly string[] {
  if (applied.length === 0) return ['nothing to do'];
  return applied.map(({ provider, zone, generation }) => `${provider} zone ${zone}: generation ${generation} answers`);
}

function renderPlan(plan: ZonePlan): readonly string[] {
  const { changes, batches } = plan;
  const title = `${plan.provider} zone ${plan.zone}, generation ${changes.registryBefore.generation}`;
  if (isEmpty(plan)) return [`${title}: as wanted`, ...renderNotices(plan), ''];
  return [
    title,
    ...plan.impacts.flatMap(renderImpact),
    ...renderNotices(plan),
    ...renderHealthChecks(plan),
    `  records: ${changes.delete.length} to delete, ${changes.create.length} to create`,
    ...changes.delete.map((record) => `    - ${shorten(formatRecord(record))}`),
    ...changes.create.map((record) => `    + ${shorten(formatRecord(record))}`),
    `  ${count(batches.length, 'atomic batch', 'atomic batches')}: ${batches.map((batch) => `${batch.changes.length} changes`).join(', ')}`,
    ...renderVerification(plan),
    ...plan.overGuard.map(
      ({ host, movedShare, allowedShare }) =>
        `  ! ${host} moves ${percent(movedShare)} of the traffic, the guard allows ${percent(allowedShare)} (NeedsApproval)`,
    ),
    '',
  ];
}

function renderImpact({ host, movedShare, groups }: ZonePlan['impacts'][number]): readonly string[] {
  return [
    `  ${host}: ${percent(movedShare)} of the traffic moves (no traffic figures: every country counts the same)`,
    ...groups.map(({ before, after, countries }) => {
      const change = before === after ? `${after}, as before` : `${before} -> ${after}`;
      return `    ${change}: ${formatCountries(countries)}`;
    }),
  ];
}

function renderNotices({ notices }: ZonePlan): readonly string[] {
  return notices.map(({ reason, message }) => `  note: ${message} (${reason})`);
}

function renderHealthChecks(plan: ZonePlan): readonly string[] {
  const create = plan.createHealthChecks.map(
    (check) =>
      `    + ${check.key} ${check.protocol} ${check.address}:${check.port}${check.path} every ${check.intervalSeconds} s, ${check.failureThreshold} in a row`,
  );
  const remove = [...plan.deleteHealthChecks, ...plan.state.strayHealthChecks].map((key) => `    - ${key}`);
  return create.length + remove.length === 0 ? [] : ['  health checks:', ...remove, ...create];
}

function renderVerification({ intent }: ZonePlan): readonly string[] {
  return intent.policies.map(
    ({ policy, verification }) =>
      `  verified: ${policy.metadata.name}, ${verification.countries} locations x ${verification.failureSets} sets of failed clusters`,
  );
}

/** Whole continents by their code, the rest by country: `NA (all 41), FR, GB`. */
export function formatCountries(codes: readonly string[]): string {
  const set = new Set(codes);
  const whole = continents.filter((continent) => countriesOf(continent).every(({ code }) => set.has(code)));
  const loose = codes.filter((code) => !whole.includes(continentOf(code) as Continent));
  const shown = loose.length > 14 ? [...loose.slice(0, 12), `and ${loose.length - 12} more`] : loose;
  return [...whole.map((continent) => `${continent} (all ${countriesOf(continent).length})`), ...shown].join(', ');
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 150)}... (${text.length} characters)` : text;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
