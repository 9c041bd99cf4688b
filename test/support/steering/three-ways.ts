import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  type HealthCheckConfig,
  type Route53Client,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53';
import fc from 'fast-check';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { labStateOf } from '../../../lab/geo/states.ts';
import { answersFor, formatTiers, preferenceOf, type Tier } from '../../../src/answers/answers.ts';
import { type Distribution, formatShares, sameShares, sumByCluster } from '../../../src/answers/distribution.ts';
import type { RecordSet } from '../../../src/answers/record.ts';
import { countryOf } from '../../../src/geo/lookup.ts';
import { isNetwork, networkHolding } from '../../../src/model/geo/networks.ts';
import { countryOfPlace, states } from '../../../src/model/geo/states.ts';
import { InputError } from '../../../src/model/problem.ts';
import type { AddressType, HealthCheck } from '../../../src/planes/steering/compile/entries.ts';
import type { Compiled, CompileInput } from '../../../src/planes/steering/dialects/dialect.ts';
import { route53Dialect } from '../../../src/planes/steering/dialects/route53/dialect.ts';
import { servedBy } from '../../../src/planes/steering/dialects/servable.ts';
import { createMissingCollections } from '../../../src/planes/steering/providers/route53/collections.ts';
import {
  callerReference,
  toChange,
  toCountingConfig,
  toHealthCheckConfig,
} from '../../../src/planes/steering/providers/route53/convert.ts';
import { route53Reader } from '../../../src/planes/steering/providers/route53/read.ts';
import { SteeringError } from '../../../src/planes/steering/reasons.ts';
import { countriesWithPrefixes, labClient } from '../geo.ts';
import {
  clientsOfNetworks,
  drainedClusters,
  dualAddresses,
  failedClusters,
  leastAddresses,
  policySpecWithBoth,
  policySpecWithNetworks,
  policySpecWithStates,
} from './arbitrary.ts';
import { clientOf, createZone, testEmulator, timing } from './emulator.ts';
import { compileInputOf, policyOf } from './policies.ts';
import { resolveFor } from './resolve.ts';

/** An arbitrary policy, the addresses of its clusters, those out of service, those that fail, and whom to ask as. */
export const anyCase = fc.record({
  policy: fc.oneof(policySpecWithStates, policySpecWithNetworks, policySpecWithBoth),
  addresses: dualAddresses,
  drained: drainedClusters,
  least: leastAddresses,
  failures: fc.array(failedClusters, { minLength: 1, maxLength: 3 }),
  askers: fc.uniqueArray(
    fc.oneof(fc.constantFrom(...countriesWithPrefixes()), fc.constantFrom('US', ...states.map(({ code }) => code))),
    {
      minLength: 3,
      maxLength: 6,
    },
  ),
});
type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never;

/** What came of a case: how many answers were compared, and whether the records stand for less than the policy says. */
export interface Agreement {
  readonly answers: number;
  readonly outcome: 'exact' | 'approximate' | 'refused';
}

/**
 * Compiles a policy for Route 53 and asks three ways what users get while clusters fail: the policy itself, the interpreter of the records read
 * back through the API, and the emulator's name server by DNS with a client subnet, in both address families. Resolves when all agree; throws a sentence for
 * the first difference, and for a difference between policy and records that no notice tells. A policy beyond Route 53's limits is refused
 * by name, and counts as that.
 */
export async function expectThreeWays(one: Case): Promise<Agreement> {
  const input = compileInputOf(policyOf(JSON.stringify(one.policy)), {
    addresses: one.addresses,
    drained: one.drained,
    least: one.least,
  });
  const compiled = compile(input);
  if (compiled === undefined) return { answers: 0, outcome: 'refused' };
  const differs = differences(input, compiled);
  if (differs !== undefined && compiled.notices.length === 0) throw new Error(`in silence: ${differs}`);
  const emulator = await testEmulator({ insyncDelayMs: 0, checkers: 0 });
  const client = clientOf(emulator);
  try {
    const zoneId = await createZone(client, input.zone);
    const ownId = zoneId.replace(/^\/hostedzone\//, '');
    const checks = await createChecks(client, ownId, compiled);
    const ids = new Map([...checks, ...(await createCollection(client, input.zone, ownId, compiled))]);
    await write(client, zoneId, compiled.records, ids);
    let answers = 0;
    for (const failed of one.failures) {
      await fail(client, input, checks, new Set(failed));
      const { records } = await route53Reader(client, timing).read(input.zone);
      answers += await compare({ emulator, records, input, compiled, failed: new Set(failed), askers: one.askers });
    }
    return { answers, outcome: differs === undefined ? 'exact' : 'approximate' };
  } finally {
    client.destroy();
    await emulator.stop();
  }
}

function compile(input: CompileInput): Compiled | undefined {
  try {
    return route53Dialect.compile(input);
  } catch (error) {
    if (error instanceof SteeringError && error.reason === 'TooManyRecords') return undefined;
    // `never` may leave users no cluster with an address of a family, which the loader refuses as well.
    if (error instanceof InputError && error.problems.some(({ reason }) => reason === 'NoAddress')) return undefined;
    throw error;
  }
}

/** Where the records stand for other tiers than the policy's, as a sentence. Clusters without an address of the type do not count. */
function differences(input: CompileInput, { effective }: Compiled): string | undefined {
  for (const [type, byCountry] of effective) {
    const serving = new Set(
      input.entries
        .filter(({ checks }) => checks.some((check) => typeOf(check) === type))
        .map(({ cluster }) => cluster),
    );
    for (const [country, tiers] of byCountry) {
      const wanted = preferenceOf(input.answers, country === '' ? undefined : country).tiers;
      const [left, right] = [relative(wanted, serving), relative(tiers, serving)];
      if (left !== right) return `${type} ${country}: the policy says ${left}, the records stand for ${right}`;
    }
  }
  return undefined;
}

const typeOf = ({ address }: Pick<HealthCheck, 'address'>): AddressType => (address.includes(':') ? 'AAAA' : 'A');

function relative(tiers: readonly Tier[], serving: ReadonlySet<string>): string {
  const kept = servedBy(tiers, new Map([...serving].map((name) => [name, name])));
  const share = (tier: Tier): Tier => {
    const total = tier.reduce((sum, { weight }) => sum + weight, 0);
    return tier.map((cluster) => ({ ...cluster, weight: Math.round((1e9 * cluster.weight) / total) }));
  };
  return formatTiers(kept.map(share));
}

/** Creates the checks, each that has an endpoint disabled: what they say is then told by `Inverted` alone, at once, and nothing is probed. */
async function createChecks(
  client: Route53Client,
  zoneId: string,
  { healthChecks, countingChecks }: Compiled,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  const create = async (key: string, HealthCheckConfig: HealthCheckConfig): Promise<void> => {
    const CallerReference = callerReference(zoneId, key, 1, 1);
    const { HealthCheck } = await client.send(new CreateHealthCheckCommand({ CallerReference, HealthCheckConfig }));
    ids.set(key, HealthCheck?.Id ?? '');
  };
  for (const check of healthChecks) await create(check.key, { ...toHealthCheckConfig(check), Disabled: true });
  for (const check of countingChecks) await create(check.key, toCountingConfig(check, ids));
  return ids;
}

async function createCollection(
  client: Route53Client,
  zone: string,
  zoneId: string,
  { collection }: Compiled,
): Promise<ReadonlyMap<string, string>> {
  const state = { zone, zoneId, records: [], healthChecks: new Map(), strayHealthChecks: [], retiredHealthChecks: [] };
  const collections = collection === undefined ? [] : [collection];
  return createMissingCollections(client, timing, { state, collections, generation: 1 });
}

async function fail(
  client: Route53Client,
  { entries }: CompileInput,
  ids: ReadonlyMap<string, string>,
  failed: ReadonlySet<string>,
): Promise<void> {
  for (const { cluster, checks } of entries) {
    for (const { key } of checks) {
      const HealthCheckId = ids.get(key);
      const Inverted = failed.has(cluster);
      if (HealthCheckId !== undefined) await client.send(new UpdateHealthCheckCommand({ HealthCheckId, Inverted }));
    }
  }
}

/** Where the lab's Route 53 takes an address to be. */
function placeOf(address: string): string {
  const country = countryOf(address) ?? '';
  return country === 'US' ? (labStateOf(address) ?? country) : country;
}

/** As many changes as one request may hold for certain. */
const changesAtOnce = 500;

async function write(
  client: Route53Client,
  HostedZoneId: string,
  records: readonly RecordSet[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const changes = targetsFirst(records).map(
    (record): Change =>
      toChange({ action: 'CREATE', record }, HostedZoneId.replace(/^\/hostedzone\//, ''), (key) => ids.get(key) ?? key),
  );
  for (let at = 0; at < changes.length; at += changesAtOnce) {
    const ChangeBatch = { Changes: changes.slice(at, at + changesAtOnce) };
    await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch }));
  }
}

/** The records in an order in which every alias follows all records of its target. */
function targetsFirst(records: readonly RecordSet[]): readonly RecordSet[] {
  const byName = Map.groupBy(records, ({ name, type }) => `${name} ${type}`);
  const depths = new Map<string, number>();
  const depthOf = (id: string): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    const below = (byName.get(id) ?? []).map(({ target, type }) =>
      target.kind === 'alias' ? 1 + depthOf(`${target.name} ${type}`) : 0,
    );
    const depth = Math.max(0, ...below);
    depths.set(id, depth);
    return depth;
  };
  return records.toSorted((a, b) => depthOf(`${a.name} ${a.type}`) - depthOf(`${b.name} ${b.type}`));
}

interface Question {
  readonly emulator: Emulator;
  readonly records: readonly RecordSet[];
  readonly input: CompileInput;
  readonly compiled: Compiled;
  readonly failed: ReadonlySet<string>;
  readonly askers: readonly string[];
}

/** Asks all places that the records tell apart of the interpreter, and the askers and clients in and beside all networks of the name server. */
async function compare({ emulator, records, input, compiled, failed, askers }: Question): Promise<number> {
  const { hosts, entries, answers: policyAnswers } = input;
  const { effective } = compiled;
  const reading = route53Dialect.interpret(records);
  const clusterOf = new Map(entries.flatMap(({ cluster, checks }) => checks.map(({ address }) => [address, cluster])));
  const failedChecks = entries.filter(({ cluster }) => failed.has(cluster)).flatMap(({ checks }) => checks);
  let answers = 0;
  for (const host of hosts) {
    for (const [type, byCountry] of effective) {
      const view = reading.view(host, type, failedChecks);
      const expectSame = (country: string, got: Distribution, wanted: Distribution): void => {
        answers += 1;
        expectAllowed(country, got.keys());
        if (!sameShares(got, wanted)) throw new Error(sentence('the records read back give', country, got, wanted));
      };
      const expectAllowed = (country: string, got: Iterable<string>): void => {
        const { never } = preferenceOf(policyAnswers, country === '' ? undefined : country);
        for (const name of got)
          if (never.includes(name))
            throw new Error(`${host} ${type} leads '${country}' to ${name}, which it never reaches`);
      };
      const sentence = (who: string, country: string, got: Distribution, wanted: Distribution): string =>
        `${host} ${type} for '${country}' with [${[...failed].join()}] failed: ${who} ${formatShares(got)}, the policy ${formatShares(wanted)}`;
      for (const [country, tiers] of byCountry) {
        const answer = view.answer(country === '' ? undefined : country);
        expectSame(
          country,
          sumByCluster(answer, (address) => clusterOf.get(address)),
          answersFor(tiers, failed),
        );
      }
      const networks = [...byCountry.keys()].filter(isNetwork);
      const questions = [
        ...['', ...askers].map((country) => ({
          country,
          subnet: country === '' ? '192.0.2.1' : labClient(country, answers % 20),
        })),
        ...(networks.length === 0 ? [] : clientsOfNetworks).map((subnet) => ({
          country: placeOf(subnet),
          subnet,
        })),
      ].map(({ country, subnet }) => ({ country: networkHolding(networks, subnet) ?? country, subnet }));
      for (const { country, subnet } of questions) {
        const wanted = answersFor(
          byCountry.get(country) ?? byCountry.get(countryOfPlace(country)) ?? byCountry.get('') ?? [],
          failed,
        );
        const got = (await resolveFor(emulator.dns, host, subnet, type)).map(
          (address) => clusterOf.get(address) ?? address,
        );
        answers += 1;
        expectAllowed(country, got);
        if (got.length === 0 || got.some((name) => !wanted.has(name)))
          throw new Error(sentence('the name server gives', country, new Map(got.map((name) => [name, 1])), wanted));
      }
    }
  }
  return answers;
}
