import {
  ChangeCidrCollectionCommand,
  ChangeResourceRecordSetsCommand,
  type CidrCollectionChange,
  CreateCidrCollectionCommand,
  DeleteCidrCollectionCommand,
  ListCidrBlocksCommand,
  ListCidrCollectionsCommand,
  ListCidrLocationsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Emulator } from '../../../../lab/emulators/route53/emulator.ts';
import { clientAddress } from '../../../../src/geo/prefixes.ts';
import { clientOf, createZone, testEmulator } from '../../../support/steering/emulator.ts';
import { resolveFor } from '../../../support/steering/resolve.ts';
import { insync } from './emulator.ts';

/** CIDR collections and the records that use them, through the official SDK and by DNS. */
const host = 'www.video.example';
let emulator: Emulator;
let client: ReturnType<typeof clientOf>;
let zoneId = '';

beforeEach(async () => {
  emulator = await testEmulator({ insyncDelayMs: 0 });
  client = clientOf(emulator);
  zoneId = await createZone(client, 'video.example');
});

afterEach(async () => {
  client.destroy();
  await emulator.stop();
});

const create = (Name: string, CallerReference = Name) =>
  client.send(new CreateCidrCollectionCommand({ Name, CallerReference }));
const collectionOf = async (name: string): Promise<string> => (await create(name)).Collection?.Id ?? '';
const put = (LocationName: string, ...CidrList: string[]): CidrCollectionChange => ({
  LocationName,
  Action: 'PUT',
  CidrList,
});
const drop = (LocationName: string, ...CidrList: string[]): CidrCollectionChange => ({
  LocationName,
  Action: 'DELETE_IF_EXISTS',
  CidrList,
});
const change = (Id: string, Changes: CidrCollectionChange[], CollectionVersion?: number) =>
  client.send(
    new ChangeCidrCollectionCommand({ Id, Changes, ...(CollectionVersion === undefined ? {} : { CollectionVersion }) }),
  );
const blocks = async (CollectionId: string): Promise<readonly string[]> =>
  ((await client.send(new ListCidrBlocksCommand({ CollectionId }))).CidrBlocks ?? []).map(
    ({ CidrBlock, LocationName }) => `${LocationName} ${CidrBlock}`,
  );
const refused = (name: string) => expect.objectContaining({ name });

async function write(Action: 'CREATE' | 'DELETE', ...records: readonly Partial<ResourceRecordSet>[]): Promise<void> {
  const Changes = records.map((record) => ({
    Action,
    ResourceRecordSet: { Name: host, Type: 'A', ...record } as const,
  }));
  const command = new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } });
  await insync(client, await client.send(command));
}
const record = (
  CollectionId: string,
  LocationName: string,
  rest: Partial<ResourceRecordSet>,
): Partial<ResourceRecordSet> => ({
  SetIdentifier: LocationName,
  CidrRoutingConfig: { CollectionId, LocationName },
  ...rest,
});
const address = (Value: string): Partial<ResourceRecordSet> => ({ TTL: 30, ResourceRecords: [{ Value }] });
const answer = async (subnet: string | undefined): Promise<string> =>
  (await resolveFor(emulator.dns, host, subnet)).join();

it('a collection is made once, changed by its version, listed, and deleted when it is empty', async () => {
  const first = await create('offices');
  expect(first).toMatchObject({ Collection: { Name: 'offices', Version: 1 } });
  expect((await create('offices')).Collection?.Id).toBe(first.Collection?.Id);
  await expect(create('offices', 'other')).rejects.toEqual(refused('CidrCollectionAlreadyExistsException'));
  await expect(create('o f')).rejects.toEqual(refused('InvalidInput'));
  const id = first.Collection?.Id ?? '';
  await change(id, [put('paris', '198.51.100.0/24', '2001:DB8:10::/48'), put('lyon', '203.0.112.0/22')], 1);
  await expect(change(id, [put('lyon', '192.0.2.0/24')], 1)).rejects.toEqual(
    refused('CidrCollectionVersionMismatchException'),
  );
  expect(await blocks(id)).toEqual(['paris 198.51.100.0/24', 'lyon 203.0.112.0/22', 'paris 2001:db8:10::/48']);
  const locations = await client.send(new ListCidrLocationsCommand({ CollectionId: id }));
  expect(locations.CidrLocations?.map(({ LocationName }) => LocationName)).toEqual(['lyon', 'paris']);
  const page = await client.send(new ListCidrBlocksCommand({ CollectionId: id, LocationName: 'paris', MaxResults: 1 }));
  expect(page.CidrBlocks).toEqual([{ CidrBlock: '198.51.100.0/24', LocationName: 'paris' }]);
  const { NextToken } = page;
  const rest = { CollectionId: id, LocationName: 'paris', ...(NextToken === undefined ? {} : { NextToken }) };
  expect((await client.send(new ListCidrBlocksCommand(rest))).CidrBlocks).toEqual([
    { CidrBlock: '2001:db8:10::/48', LocationName: 'paris' },
  ]);
  const { CidrCollections } = await client.send(new ListCidrCollectionsCommand({}));
  expect(CidrCollections).toMatchObject([{ Id: id, Name: 'offices', Version: 2 }]);
  const remove = () => client.send(new DeleteCidrCollectionCommand({ Id: id }));
  await expect(remove()).rejects.toEqual(refused('CidrCollectionInUseException'));
  await change(id, [drop('paris', '198.51.100.0/24', '2001:db8:10::/48'), drop('lyon', '203.0.112.0/22')]);
  await remove();
  await expect(remove()).rejects.toEqual(refused('NoSuchCidrCollectionException'));
});

it('blocks are refused that are too long, have host bits, or are in another location; a block moves in one request', async () => {
  const id = await collectionOf('offices');
  for (const block of ['198.51.100.0/25', '2001:db8::/49', '0.0.0.0/0', '198.51.100.1/24', '198.51.100.0'])
    await expect(change(id, [put('paris', block)])).rejects.toEqual(refused('InvalidInput'));
  for (const location of ['*', 'seventeen-letters'])
    await expect(change(id, [put(location, '198.51.100.0/24')])).rejects.toEqual(refused('InvalidInput'));
  await change(id, [put('paris', '198.51.100.0/24')]);
  await expect(change(id, [put('lyon', '192.0.2.0/24', '198.51.100.0/24')])).rejects.toEqual(
    refused('CidrBlockInUseException'),
  );
  expect(await blocks(id)).toEqual(['paris 198.51.100.0/24']);
  await change(id, [put('lyon', '198.51.100.0/24'), drop('paris', '198.51.100.0/24')]);
  expect(await blocks(id)).toEqual(['lyon 198.51.100.0/24']);
  await expect(client.send(new ListCidrBlocksCommand({ CollectionId: id, LocationName: 'paris' }))).rejects.toEqual(
    refused('NoSuchCidrLocationException'),
  );
});

it('there are five collections at most, and a thousand blocks in one', async () => {
  for (let index = 1; index <= 5; index += 1) await create(`c${index}`);
  await expect(create('c6')).rejects.toEqual(refused('LimitsExceeded'));
  const id = await collectionOf('c1');
  const many = (first: number, count: number) =>
    Array.from(
      { length: count },
      (_, index) => `10.${Math.floor((first + index) / 256)}.${(first + index) % 256}.0/24`,
    );
  await change(id, [put('a', ...many(0, 1000))]);
  await expect(change(id, [put('a', '192.0.2.0/24')])).rejects.toEqual(refused('LimitsExceeded'));
});

it('clients are answered by the most specific block that holds their whole network, all others by *', async () => {
  const id = await collectionOf('offices');
  await change(id, [
    put('paris', '198.51.0.0/16', '2001:db8:10::/48'),
    put('lyon', '198.51.100.0/24'),
    put('wide', '203.0.113.0/24'),
  ]);
  await write('CREATE', {
    Name: 'geo.video.example',
    SetIdentifier: 'FR',
    GeoLocation: { CountryCode: 'FR' },
    ...address('192.0.2.3'),
  });
  await write('CREATE', {
    Name: 'geo.video.example',
    SetIdentifier: '*',
    GeoLocation: { CountryCode: '*' },
    ...address('192.0.2.4'),
  });
  await write(
    'CREATE',
    record(id, 'paris', address('192.0.2.1')),
    record(id, 'lyon', address('192.0.2.2')),
    record(id, '*', {
      AliasTarget: {
        HostedZoneId: zoneId.replace(/^\/hostedzone\//, ''),
        DNSName: 'geo.video.example',
        EvaluateTargetHealth: false,
      },
    }),
  );
  expect(await answer('198.51.7.1')).toBe('192.0.2.1');
  expect(await answer('198.51.100.9')).toBe('192.0.2.2');
  expect(await answer('2001:db8:10:ff::1')).toBe('192.0.2.1');
  expect(await answer('2001:db8:11::1')).toBe('192.0.2.4');
  // A location without a record is answered by `*` as well.
  expect(await answer('203.0.113.1')).toBe('192.0.2.4');
  expect(await answer(clientAddress('FR', 0))).toBe('192.0.2.3');
  // Without a client subnet the resolver counts, which is this machine.
  expect(await answer(undefined)).toBe('192.0.2.4');
  const { ResourceRecordSets = [] } = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  expect(ResourceRecordSets.find(({ SetIdentifier }) => SetIdentifier === 'lyon')?.CidrRoutingConfig).toEqual({
    CollectionId: id,
    LocationName: 'lyon',
  });
  // What records use stays.
  await expect(change(id, [drop('lyon', '198.51.100.0/24')])).rejects.toEqual(refused('CidrBlockInUseException'));
  await change(id, [drop('wide', '203.0.113.0/24')]);
  await write('DELETE', record(id, 'lyon', address('192.0.2.2')));
  await change(id, [drop('lyon', '198.51.100.0/24')]);
  expect(await answer('198.51.100.9')).toBe('192.0.2.1');
});
