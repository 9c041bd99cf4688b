import {
  ChangeCidrCollectionCommand,
  type CollectionSummary,
  CreateCidrCollectionCommand,
  DeleteCidrCollectionCommand,
  ListCidrBlocksCommand,
  ListCidrCollectionsCommand,
  type Route53Client,
} from '@aws-sdk/client-route-53';
import { compareText, withoutUndefined } from '../../../../model/values.ts';
import { type Collection, withKey } from '../../compile/collections.ts';
import { SteeringError } from '../../reasons.ts';
import type { HeldCollection, HeldCollections } from '../../records/collections.ts';
import { contentName } from '../../records/hash.ts';
import { retiredName } from '../../records/retired.ts';
import type { ZoneState } from '../provider.ts';
import { asSteeringError, errorName, type RetryOptions, retrying } from './retry.ts';

/** A collection of ours with what it holds. */
export interface FoundCollection extends HeldCollection {
  readonly content: Collection;
}

/** The start of the name of every collection of ours in a zone; others are never touched. */
const namePrefix = (zoneId: string): string => `tideline-${contentName(zoneId)}-`;

/** The collections of ours in a zone, by identifier, and how many the account has. */
export async function readCollections(
  client: Route53Client,
  retry: RetryOptions,
  zoneId: string,
): Promise<{ readonly ours: ReadonlyMap<string, FoundCollection>; readonly count: number }> {
  const summaries: CollectionSummary[] = [];
  let NextToken: string | undefined;
  do {
    const command = new ListCidrCollectionsCommand(withoutUndefined({ NextToken }));
    const page = await retrying(retry, () => client.send(command));
    summaries.push(...(page.CidrCollections ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  const ours = new Map<string, FoundCollection>();
  for (const { Id: id, Name: name = '' } of summaries) {
    if (id === undefined || !name.startsWith(namePrefix(zoneId))) continue;
    const content = await contentOf(client, retry, id).catch((error: unknown) => {
      // Another writer deletes one that was retired, between the two calls.
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (content === undefined) continue;
    const [hash] = name.slice(namePrefix(zoneId).length).split('-');
    ours.set(id, { id, madeFor: `networks-${hash}`, isEmpty: content.locations.length === 0, content });
  }
  return { ours, count: summaries.length };
}

async function contentOf(client: Route53Client, retry: RetryOptions, CollectionId: string): Promise<Collection> {
  const byLocation = new Map<string, string[]>();
  let NextToken: string | undefined;
  do {
    const command = new ListCidrBlocksCommand({ CollectionId, ...withoutUndefined({ NextToken }) });
    const page = await retrying(retry, () => client.send(command));
    for (const { CidrBlock = '', LocationName = '' } of page.CidrBlocks ?? [])
      byLocation.set(LocationName, [...(byLocation.get(LocationName) ?? []), CidrBlock]);
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return withKey([...byLocation].map(([name, networks]) => ({ name, networks: networks.sort(compareText) })));
}

/** Ours by the key of their content; of several with one key, one that records name comes first. */
export function heldCollections(
  { ours, count }: Awaited<ReturnType<typeof readCollections>>,
  used: ReadonlySet<string>,
  retiredNames: ReadonlySet<string>,
): HeldCollections {
  const isRetired = ({ id }: FoundCollection): boolean => retiredNames.has(retiredName(id));
  const all = [...ours.values()];
  const byKey = new Map<string, FoundCollection>();
  const stray: FoundCollection[] = [];
  for (const one of all
    .filter((found) => !isRetired(found))
    .sort((a, b) => Number(used.has(b.id)) - Number(used.has(a.id)))) {
    if (byKey.has(one.content.key)) stray.push(one);
    else byKey.set(one.content.key, one);
  }
  return { byKey, stray, retired: all.filter(isRetired).map(({ id }) => id), count };
}

/**
 * Makes and fills those of the collections that the zone does not have; resolves with the identifiers of all, by key. A writer that was stopped in
 * between left an empty one, which is filled. The name says the content, so that two writers never fill one collection differently.
 */
export async function createMissingCollections(
  client: Route53Client,
  options: RetryOptions,
  wanted: { readonly state: ZoneState; readonly collections: readonly Collection[]; readonly generation: number },
): Promise<ReadonlyMap<string, string>> {
  const { state, collections, generation } = wanted;
  const held = [...(state.collections?.byKey.values() ?? []), ...(state.collections?.stray ?? [])];
  const ids = new Map([...(state.collections?.byKey ?? [])].map(([key, { id }]) => [key, id]));
  for (const collection of collections) {
    const empty = held.find(({ madeFor, isEmpty }) => isEmpty && madeFor === collection.key);
    const id = empty?.id ?? (await create(client, options, collection, { zoneId: state.zoneId, generation }));
    await fill(client, options, id, collection);
    ids.set(collection.key, id);
  }
  return ids;
}

async function create(
  client: Route53Client,
  options: RetryOptions,
  { key }: Collection,
  { zoneId, generation }: { readonly zoneId: string; readonly generation: number },
): Promise<string> {
  const Name = `${namePrefix(zoneId)}${key.replace(/^networks-/, '')}-${generation}`;
  const command = new CreateCidrCollectionCommand({ Name, CallerReference: Name });
  try {
    const { Collection: made } = await retrying(options, () => client.send(command));
    if (made?.Id !== undefined) return made.Id;
  } catch (error) {
    if (errorName(error) !== 'LimitsExceeded') throw asSteeringError(error, 'create a CIDR collection');
    throw new SteeringError(
      'CollectionQuota',
      'the account has as many CIDR collections as it may have; delete one that nothing uses, ask AWS for more, or let policies name the same networks',
      { cause: error },
    );
  }
  throw new SteeringError('ProviderRefused', 'Route 53 created a CIDR collection and did not name it');
}

async function fill(
  client: Route53Client,
  options: RetryOptions,
  Id: string,
  { key, locations }: Collection,
): Promise<void> {
  const Changes = locations.map(({ name, networks }) => ({
    LocationName: name,
    Action: 'PUT' as const,
    CidrList: [...networks],
  }));
  const failure = await retrying(options, () => client.send(new ChangeCidrCollectionCommand({ Id, Changes }))).then(
    () => undefined,
    (error: unknown) => error,
  );
  // An attempt whose answer was lost may have filled it.
  const found = await contentOf(client, options, Id).catch((error: unknown) => {
    throw isMissing(error) ? changedMeanwhile(Id) : asSteeringError(failure ?? error, 'fill a CIDR collection');
  });
  if (found.key === key) return;
  if (failure !== undefined) throw asSteeringError(failure, 'fill a CIDR collection');
  throw changedMeanwhile(Id);
}

const isMissing = (error: unknown): boolean => errorName(error) === 'NoSuchCidrCollectionException';

const changedMeanwhile = (id: string): SteeringError =>
  new SteeringError('StaleGeneration', `the CIDR collection ${id} was changed or deleted by somebody else; plan again`);

/** Empties and deletes a collection. One that does not exist counts as deleted, and one that something uses stays: Route 53 refuses. */
export async function deleteCollection(client: Route53Client, options: RetryOptions, Id: string): Promise<void> {
  try {
    const { locations } = await contentOf(client, options, Id);
    const Changes = locations.map(({ name, networks }) => ({
      LocationName: name,
      Action: 'DELETE_IF_EXISTS' as const,
      CidrList: [...networks],
    }));
    if (Changes.length > 0)
      await retrying(options, () => client.send(new ChangeCidrCollectionCommand({ Id, Changes })));
    await retrying(options, () => client.send(new DeleteCidrCollectionCommand({ Id })));
  } catch (error) {
    if (!gone.has(errorName(error))) throw asSteeringError(error, 'delete a CIDR collection');
  }
}

const gone: ReadonlySet<string> = new Set([
  'NoSuchCidrCollectionException',
  'CidrBlockInUseException',
  'CidrCollectionInUseException',
]);
