import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { TestZone } from './account.ts';

/** Something about Route 53 that its documentation does not say, or not clearly, and that is taken for granted somewhere. */
export interface Question {
  readonly id: string;
  readonly asks: string;
  /** The answer with which the code works. */
  readonly assumed: string;
  /** Finds the answer in a test zone, which it leaves as it is. */
  readonly settle: (zone: TestZone) => Promise<string>;
}

const [first, second, third] = ['198.51.100.1', '198.51.100.2', '198.51.100.3'] as const;

export const questions: readonly Question[] = [
  {
    id: 'order-of-values',
    asks: 'Does a TXT record return its values in the order in which they were written?',
    assumed: 'in another order, or in the same by chance',
    async settle(zone) {
      await zone.create({ ...plain(zone, 'order'), Type: 'TXT', ResourceRecords: texts });
      const [found] = await zone.records();
      const isSame =
        found?.ResourceRecords?.map(({ Value }) => Value).join() === texts.map(({ Value }) => Value).join();
      return isSame ? 'in the same order' : 'in another order, or in the same by chance';
    },
  },
  {
    id: 'delete-in-another-order',
    asks: 'Does a DELETE match whose values stand in another order?',
    assumed: 'it matches',
    async settle(zone) {
      const record = { ...plain(zone, 'delete'), Type: 'TXT' as const, ResourceRecords: texts };
      await zone.create(record);
      const turned = { ...record, ResourceRecords: texts.toReversed() };
      const refused = await zone.refusalOf([{ Action: 'DELETE', ResourceRecordSet: turned }]);
      return refused === undefined ? 'it matches' : `it is refused: ${refused}`;
    },
  },
  {
    id: 'alias-before-its-target',
    asks: 'May an alias stand before its target in one batch?',
    assumed: 'refused: InvalidChangeBatch',
    async settle(zone) {
      const changes = [alias(zone, 'early', 'late'), plain(zone, 'late')].map(created);
      return refusalText(await zone.refusalOf(changes));
    },
  },
  {
    id: 'dangling-alias',
    asks: 'May the target of an alias be deleted?',
    assumed: 'refused: InvalidChangeBatch',
    async settle(zone) {
      await zone.create(plain(zone, 'target'), alias(zone, 'dangling', 'target'));
      return refusalText(await zone.refusalOf([{ Action: 'DELETE', ResourceRecordSet: plain(zone, 'target') }]));
    },
  },
  {
    id: 'fourth-level',
    asks: 'May a chain of aliases pass four names, the first and the one with values included?',
    assumed: 'refused: InvalidChangeBatch',
    async settle(zone) {
      const chain = [plain(zone, 'd4'), alias(zone, 'd3', 'd4'), alias(zone, 'd2', 'd3'), alias(zone, 'd1', 'd2')];
      const refused = await zone.refusalOf(chain.map(created));
      return refused === undefined ? `taken, and answered with ${await zone.ask('d1')}` : refusalText(refused);
    },
  },
  {
    id: 'simple-to-geolocation',
    asks: 'May a simple record become a geolocation group in one batch, by DELETE and CREATE?',
    assumed: 'taken',
    async settle(zone) {
      await zone.create(plain(zone, 'swap'));
      const world = { ...plain(zone, 'swap', second), SetIdentifier: 'world', GeoLocation: { CountryCode: '*' } };
      const swap: readonly Change[] = [{ Action: 'DELETE', ResourceRecordSet: plain(zone, 'swap') }, created(world)];
      return refusalText(await zone.refusalOf(swap));
    },
  },
  {
    id: 'answers-before-insync',
    asks: 'Does every name server answer with a change when it is INSYNC?',
    assumed: 'all of them',
    async settle(zone) {
      await zone.create(plain(zone, 'sync'));
      const answers = await Promise.all(zone.nameServers.map((server) => zone.ask('sync', server)));
      const late = answers.filter((answer) => answer !== first).length;
      return late === 0 ? 'all of them' : `${late} of ${answers.length} do not`;
    },
  },
  {
    id: 'new-check',
    asks: 'How does a check count before its checkers have reported, and what does GetHealthCheckStatus say then?',
    assumed: 'as healthy, with no report',
    async settle(zone) {
      const check = await zone.createCheck();
      const reports = await zone.reportsOf(check);
      await zone.create(...pair(zone, 'new', check));
      const answer = await zone.ask('new');
      const reported = await zone.reportsOf(check);
      const isKnown = reported.length > 0 && answer !== first;
      if (isKnown) return 'not seen: the checkers were quicker than the records';
      return `${answer === first ? 'as healthy' : 'as unhealthy'}, ${reports.length === 0 ? 'with no report' : `with ${reports.length} reports: ${reports[0]}`}`;
    },
  },
  {
    id: 'updated-check',
    asks: 'Does a check that is unhealthy stay so when its threshold is changed?',
    assumed: 'it stays unhealthy',
    async settle(zone) {
      const check = await unhealthyPair(zone, 'updated');
      await zone.updateCheck(check, 2);
      const seen = await zone.watch(() => zone.ask('updated'));
      return seen.every((answer) => answer === second) ? 'it stays unhealthy' : `it counts as healthy for a while`;
    },
  },
  {
    id: 'deleted-check-in-use',
    asks: 'How does a record count whose check is deleted?',
    assumed: 'as unhealthy',
    async settle(zone) {
      const check = await zone.createCheck();
      await zone.create(...pair(zone, 'deleted', check));
      await zone.deleteCheck(check);
      const seen = await zone.watch(() => zone.ask('deleted'));
      return seen.at(-1) === second ? 'as unhealthy' : 'as healthy';
    },
  },
  {
    id: 'weight-zero-alone',
    asks: 'Is an alias healthy whose target is a weighted group of which only a record of weight 0 is healthy?',
    assumed: 'it is, and the record of weight 0 answers',
    async settle(zone) {
      const check = await zone.createCheck();
      const [some, none] = [1, 0].map((Weight, index) => ({
        ...plain(zone, 'group', index === 0 ? first : second),
        SetIdentifier: `weight ${Weight}`,
        Weight,
        ...(index === 0 ? { HealthCheckId: check } : {}),
      })) as [ResourceRecordSet, ResourceRecordSet];
      const [primary, secondary] = pair(zone, 'weights', undefined) as [ResourceRecordSet, ResourceRecordSet];
      const { TTL: _ttl, ResourceRecords: _values, ...head } = primary;
      const target = { ...targetOf(zone, 'group'), EvaluateTargetHealth: true };
      await zone.create(
        some,
        none,
        { ...head, AliasTarget: target },
        { ...secondary, ResourceRecords: [{ Value: third }] },
      );
      await zone.until('the record with a weight is unhealthy', async () => (await zone.ask('weights')) !== first);
      return (await zone.ask('weights')) === second
        ? 'it is, and the record of weight 0 answers'
        : 'it is not, and the secondary answers';
    },
  },
  {
    id: 'counting-check-on-alias',
    asks: 'Is an alias that evaluates its target unhealthy while a calculated check on it fails, and from when on is a new one known to fail?',
    assumed: 'it is, from the first answer on',
    async settle(zone) {
      const child = await unhealthyPair(zone, 'counted');
      const check = await zone.createCountingCheck(child);
      const [primary, secondary] = pair(zone, 'counting', check) as [ResourceRecordSet, ResourceRecordSet];
      const { TTL: _ttl, ResourceRecords: _values, ...head } = primary;
      const target = { ...targetOf(zone, 'living'), EvaluateTargetHealth: true };
      await zone.create(plain(zone, 'living'), { ...head, AliasTarget: target }, secondary);
      const seen = await zone.watch(() => zone.ask('counting'));
      if (seen.at(-1) !== second) return 'it is not';
      return seen.length === 1 ? 'it is, from the first answer on' : 'it is, and counts as healthy at first';
    },
  },
];

const texts = ['"b"', '"c"', '"a"'].map((Value) => ({ Value }));

const created = (ResourceRecordSet: ResourceRecordSet): Change => ({ Action: 'CREATE', ResourceRecordSet });

function refusalText(name: string | undefined): string {
  return name === undefined ? 'taken' : `refused: ${name}`;
}

function plain(zone: TestZone, name: string, value: string = first): ResourceRecordSet {
  return { Name: zone.name(name), Type: 'A', TTL: 1, ResourceRecords: [{ Value: value }] };
}

function targetOf(zone: TestZone, name: string) {
  return { HostedZoneId: zone.zoneId, DNSName: zone.name(name), EvaluateTargetHealth: false };
}

function alias(zone: TestZone, name: string, target: string): ResourceRecordSet {
  return { Name: zone.name(name), Type: 'A', AliasTarget: targetOf(zone, target) };
}

/** A primary, which this check decides about, and a secondary that is always healthy. */
function pair(zone: TestZone, name: string, check: string | undefined): readonly ResourceRecordSet[] {
  const primary = { ...plain(zone, name), SetIdentifier: 'primary', Failover: 'PRIMARY' as const };
  const secondary = { ...plain(zone, name, second), SetIdentifier: 'secondary', Failover: 'SECONDARY' as const };
  return [check === undefined ? primary : { ...primary, HealthCheckId: check }, secondary];
}

/** A pair whose primary is known to be unhealthy; resolves with its check. */
async function unhealthyPair(zone: TestZone, name: string): Promise<string> {
  const check = await zone.createCheck();
  await zone.create(...pair(zone, name, check));
  await zone.until('a check of a dead endpoint is unhealthy', async () => (await zone.ask(name)) === second);
  return check;
}
