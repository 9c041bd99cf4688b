import { clustersOfPolicy, decidingRules, forbiddenClusters, placesOfPolicy } from '../../platform/policies.ts';
import type { Path } from '../document.ts';
import type { TrafficPolicy } from '../kinds.ts';
import { type Objects, type Report, type Valid, valid } from '../objects.ts';

/**
 * `never` names users and clusters once each, and what is left of the policy still answers everyone: with the first choice as it is
 * written, and over each address family that the policy answers at all.
 */
export function checkNever(objects: Objects, report: Report): void {
  for (const policy of valid(objects.TrafficPolicy.all)) {
    checkEntries(policy, report);
    checkChoices(policy, report);
    checkFamilies(policy, objects, report);
  }
}

function checkEntries({ at, value }: Valid<TrafficPolicy>, report: Report): void {
  for (const [index, entry] of value.spec.never.entries()) {
    const path = ['spec', 'never', index];
    if (entry.countries.length + entry.continents.length === 0 && !entry.unknownLocation)
      report(at, path, {
        reason: 'RuleForNobody',
        message: 'the entry names neither a country nor a continent, nor users of unknown location',
        fix: 'add countries, continents or unknownLocation: true, or remove the entry',
      });
    for (const list of ['clusters', 'countries', 'continents'] as const) {
      const names: readonly string[] = entry[list];
      for (const [position, name] of names.entries())
        if (names.indexOf(name) < position)
          report(at, [...path, list, position], {
            reason: 'NamedTwice',
            message: `${name} is named twice`,
            fix: 'remove one',
          });
    }
  }
}

/** Users ('' when nobody knows where they are) with the answer that decides for them. */
interface Decided {
  readonly code: string;
  readonly path: Path;
  readonly answer: TrafficPolicy['spec']['default'];
  /** What they never reach, with the entry of `never` that says so. */
  readonly forbidden: ReadonlyMap<string, number>;
}

function decidedOf({ spec }: TrafficPolicy): readonly Decided[] {
  const deciding = decidingRules(spec);
  const forbidden = forbiddenClusters(spec);
  return [...placesOfPolicy(spec), ''].map((code) => {
    const rule = deciding.get(code);
    const answer = rule === undefined ? undefined : spec.rules[rule.index];
    return {
      code,
      path: rule === undefined ? ['spec', 'default'] : ['spec', 'rules', rule.index],
      answer: answer ?? spec.default,
      forbidden: forbidden.get(code) ?? new Map<string, number>(),
    };
  });
}

/** A first choice is as it is written; what follows may be narrowed for some of a rule's users, not for all of them. */
function checkChoices({ at, value }: Valid<TrafficPolicy>, report: Report): void {
  if (value.spec.never.length === 0) return;
  const named = clustersOfPolicy(value);
  const byAnswer = Map.groupBy(decidedOf(value), ({ answer }) => answer);
  for (const [answer, users] of byAnswer) {
    const [path = []] = users.map((one) => one.path);
    for (const [index, { name, weight }] of answer.clusters.entries()) {
      const barred = users.filter(({ forbidden }) => forbidden.has(name));
      const [first] = barred;
      if (first === undefined || (weight === 0 && barred.length < users.length)) continue;
      const entry = ['spec', 'never', first.forbidden.get(name) ?? 0];
      const allowed = named.filter((other) => barred.every(({ forbidden }) => !forbidden.has(other)));
      report(at, [...path, 'clusters', index, 'name'], {
        reason: 'ForbiddenChoice',
        message: `${usersText(barred)} would be answered with ${name}, which line ${at.document.lineOf(entry)} says they never reach`,
        expected: expectedText(allowed),
        fix: `${fixText({ barred, users, allowed })}, or take ${name} out of spec.never`,
      });
    }
    for (const { list, names } of failoverLists(answer))
      for (const [index, name] of names.entries()) {
        const [first] = users;
        if (first === undefined || !users.every(({ forbidden }) => forbidden.has(name))) continue;
        const entry = ['spec', 'never', first.forbidden.get(name) ?? 0];
        report(at, [...path, ...list, index], {
          reason: 'ForbiddenChoice',
          message: `nobody for whom this decides can fail over to ${name}: line ${at.document.lineOf(entry)} says they never reach it`,
          fix: `remove it here, or take ${name} out of spec.never`,
        });
      }
  }
}

/** The lists of an answer that say who takes over, with their places: those of single shares, and that of all. */
function failoverLists(
  answer: TrafficPolicy['spec']['default'],
): readonly { readonly list: Path; readonly names: readonly string[] }[] {
  const shares = answer.clusters.map(({ failover = [] }, index) => ({
    list: ['clusters', index, 'failover'],
    names: failover,
  }));
  return [...shares, { list: ['failover'], names: answer.failover }];
}

function fixText(of: {
  readonly barred: readonly Decided[];
  readonly users: readonly Decided[];
  readonly allowed: readonly string[];
}): string {
  if (of.allowed.length === 0) return 'name a cluster that they may reach in a rule for them';
  return of.barred.length < of.users.length
    ? `give ${usersText(of.barred)} a rule of their own`
    : 'answer them with another cluster';
}

const expectedText = (allowed: readonly string[]): string =>
  allowed.length === 0
    ? 'a cluster that they may reach; the policy names none'
    : `one that they may reach: ${allowed.join(', ')}`;

/** A name with records of a family needs one for everybody: users who may reach none of its clusters would be left without an answer. */
function checkFamilies({ at, value }: Valid<TrafficPolicy>, objects: Objects, report: Report): void {
  if (value.spec.never.length === 0) return;
  const names = clustersOfPolicy(value);
  // A name that is not declared is a fault of its own, and perhaps has the address that is missed here.
  if (!names.every((name) => objects.Cluster.byName.get(name)?.value !== undefined)) return;
  const named = names.map((name) => ({ name, families: familiesOf(name, objects) }));
  for (const family of [4, 6] as const) {
    const having = named.filter(({ families }) => families.has(family)).map(({ name }) => name);
    if (having.length === 0) continue;
    // Whom nothing at all is left is told already, of their first choice.
    const barred = decidedOf(value).filter(
      ({ forbidden }) => having.every((name) => forbidden.has(name)) && !names.every((name) => forbidden.has(name)),
    );
    const [first] = barred;
    if (first === undefined) continue;
    const others = named.map(({ name }) => name).filter((name) => !first.forbidden.has(name));
    const entry = first.forbidden.get(having[0] ?? '') ?? 0;
    report(at, ['spec', 'never', entry], {
      reason: 'NothingAllowed',
      message: `${usersText(barred)} would have no answer over IPv${family}: of the policy's clusters only ${having.join(', ')} ${having.length === 1 ? 'has' : 'have'} an IPv${family} address`,
      expected: `an IPv${family} address of a cluster that they may reach`,
      fix: `give ${others.join(' or ')} an IPv${family} address, or allow ${having.join(' or ')}`,
    });
  }
}

function familiesOf(name: string, objects: Objects): ReadonlySet<number> {
  const entry = objects.Cluster.byName.get(name)?.value?.spec.entry;
  if (entry === undefined) return new Set();
  const pool = 'edgePool' in entry ? objects.EdgePool.byName.get(entry.edgePool)?.value : undefined;
  const vips = (pool?.spec.vips ?? []).filter(({ scope }) => scope === 'public').map(({ address }) => address);
  return new Set(('anycast' in entry ? entry.anycast : vips).map(({ family }) => family));
}

/** `FR, BE and 4 more`. */
function usersText(users: readonly Decided[]): string {
  const names = users.map(({ code }) => (code === '' ? 'users of unknown location' : code));
  const rest = names.length - mostNamed;
  return rest > 1 ? `${names.slice(0, mostNamed).join(', ')} and ${rest} more` : names.join(', ');
}

const mostNamed = 6;
