import { countries, countryOf } from '../../geo/countries.ts';
import { countryMeant, placeFix } from '../../geo/meant.ts';
import { stateOf } from '../../geo/states.ts';
import type { Path } from '../document.ts';
import type { TrafficPolicy } from '../kinds.ts';
import { type Declared, type Objects, type Report, type Valid, valid, whereIs } from '../objects.ts';
import { checkNetworks } from './networks.ts';

/** Every country exists and is claimed once, every rule answers somebody with somebody, every host is in its zone once. */
export function checkPolicies(objects: Objects, report: Report): void {
  for (const { at, value } of valid(objects.Site.all))
    checkCountry(value.spec.location.country, at, ['spec', 'location', 'country'], report);
  const hosts = new Map<string, { readonly at: Declared<unknown>; readonly path: Path }>();
  for (const policy of valid(objects.TrafficPolicy.all)) {
    checkProviders(policy, report);
    checkRules(policy, report);
    checkNetworks(policy, report);
    checkHosts(policy, hosts, report);
  }
}

function checkProviders({ at, value }: Valid<TrafficPolicy>, report: Report): void {
  const { providers } = value.spec.dns;
  for (const [index, provider] of providers.entries())
    if (providers.indexOf(provider) < index)
      report(at, ['spec', 'dns', 'providers', index], {
        reason: 'NamedTwice',
        message: `the provider ${provider} is named twice`,
        fix: 'remove one',
      });
}

function checkRules({ at, value }: Valid<TrafficPolicy>, report: Report): void {
  checkRuleList(value.spec.rules, at, ['spec', 'rules'], report);
  for (const [index, entry] of value.spec.never.entries())
    for (const [position, code] of entry.countries.entries())
      checkPlace(code, at, ['spec', 'never', index, 'countries', position], report);
  checkAnswer(value.spec.default, at, ['spec', 'default'], 'EmptyDefault', report);
}

/** Each of these rules answers somebody with somebody, and no two of them the same country, state or continent. */
export function checkRuleList(
  rules: TrafficPolicy['spec']['rules'],
  at: Declared<unknown>,
  rulesPath: Path,
  report: Report,
): void {
  const claimed = new Map<string, Path>();
  for (const [index, rule] of rules.entries()) {
    const path = [...rulesPath, index];
    if (rule.countries.length + rule.continents.length + (rule.networks ?? []).length === 0)
      report(at, path, {
        reason: 'RuleForNobody',
        message: 'the rule names no users',
        fix: 'add countries, continents or, in a TrafficPolicy, networks, or remove the rule',
      });
    for (const [position, code] of rule.countries.entries()) {
      checkPlace(code, at, [...path, 'countries', position], report);
      claim(
        `the ${stateOf(code) === undefined ? 'country' : 'state'} ${code}`,
        claimed,
        at,
        [...path, 'countries', position],
        report,
      );
    }
    for (const [position, code] of rule.continents.entries())
      claim(`the continent ${code}`, claimed, at, [...path, 'continents', position], report);
    checkAnswer(rule, at, path, 'AllWeightsZero', report);
  }
}

function claim(what: string, claimed: Map<string, Path>, at: Declared<unknown>, path: Path, report: Report): void {
  const first = claimed.get(what);
  if (first === undefined) {
    claimed.set(what, path);
    return;
  }
  report(at, path, {
    reason: 'CountryTwice',
    message: `${what} is already named on line ${at.document.lineOf(first)}`,
    expected: 'every country, state and continent in one rule only',
    fix: 'remove one',
  });
}

function checkAnswer(
  answer: TrafficPolicy['spec']['default'],
  at: Declared<unknown>,
  path: Path,
  reason: 'AllWeightsZero' | 'EmptyDefault',
  report: Report,
): void {
  const clustersPath = [...path, 'clusters'];
  if (answer.clusters.every((cluster) => cluster.weight === 0))
    report(at, clustersPath, {
      reason,
      message: 'every weight is 0, so nobody answers',
      expected: 'at least one weight above 0',
      fix: 'give the cluster that is to serve a weight',
    });
  for (const [index, { name, failover = [] }] of answer.clusters.entries())
    for (const [position, other] of failover.entries())
      if ([name, ...failover.slice(0, position)].includes(other))
        report(at, [...clustersPath, index, 'failover', position], {
          reason: 'NamedTwice',
          message: `the cluster ${other} is named twice in one failover`,
          expected: `clusters that take over for ${name}, each once`,
          fix: 'remove one',
        });
  const names = [...answer.clusters.map((cluster) => cluster.name), ...answer.failover];
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue;
    const inFailover = index - answer.clusters.length;
    report(at, inFailover < 0 ? [...clustersPath, index, 'name'] : [...path, 'failover', inFailover], {
      reason: 'NamedTwice',
      message: `the cluster ${name} is named twice in one answer`,
      fix: 'remove one',
    });
  }
}

function checkPlace(code: string, at: Declared<unknown>, path: Path, report: Report): void {
  if (stateOf(code) !== undefined) return;
  if (!code.includes('-')) return checkCountry(code, at, path, report);
  report(at, path, {
    reason: 'UnknownCountry',
    message: `no answers can be given for ${code} by itself`,
    expected:
      'the code of a country, or of a state of the US such as US-CA: providers tell no other parts of countries apart',
    fix: placeFix(code),
  });
}

function checkCountry(code: string, at: Declared<unknown>, path: Path, report: Report): void {
  if (countryOf(code) !== undefined) return;
  const meant = countryMeant(code);
  const noData = ['BV', 'CX', 'EH', 'HM'].includes(code);
  report(at, path, {
    reason: 'UnknownCountry',
    message: noData ? `Route 53 has no data for the country ${code}` : `there is no country ${code}`,
    expected: `one of the ${countries.length} ISO 3166-1 alpha-2 codes that Route 53 knows, e.g. FR`,
    fix: meant === undefined ? 'correct the code, or remove it' : `write ${meant.code} (${meant.name})`,
  });
}

function checkHosts(
  { at, value }: Valid<TrafficPolicy>,
  hosts: Map<string, { readonly at: Declared<unknown>; readonly path: Path }>,
  report: Report,
): void {
  const { zone } = value.spec.dns;
  for (const [index, host] of value.spec.hosts.entries()) {
    const path = ['spec', 'hosts', index];
    if (host !== zone && !host.endsWith(`.${zone}`))
      report(at, path, {
        reason: 'HostOutsideZone',
        message: `${host} is not inside the zone ${zone}`,
        expected: `${zone} or a name that ends in .${zone}`,
        fix: 'correct the host or the zone, or make a policy for the other zone',
      });
    const first = hosts.get(host);
    hosts.set(host, first ?? { at, path });
    if (first !== undefined)
      report(at, path, {
        reason: 'HostTwice',
        message: `${host} is already a host of ${whereIs(first.at, first.path)}`,
        expected: 'every host in one policy only',
        fix: 'remove one',
      });
  }
}
