import { comparePrefixes, contains, type Prefix, parsePrefix, widened } from '../../../../src/model/address.ts';
import { compareText } from '../../../../src/model/values.ts';
import { ApiError, invalidInput } from '../reasons.ts';

/** A CIDR collection of the account: blocks of addresses, each in one location. */
export interface Collection {
  readonly id: string;
  readonly name: string;
  readonly callerReference: string;
  readonly version: number;
  /** Sorted by address. */
  readonly blocks: readonly Block[];
}

interface Block {
  readonly prefix: Prefix;
  readonly location: string;
}

export interface BlockChange {
  readonly action: 'PUT' | 'DELETE_IF_EXISTS';
  readonly location: string;
  readonly blocks: readonly string[];
}

/** What records use of the account's collections. */
export type Uses = (collectionId: string) => readonly { readonly location: string }[];

/** The most specific blocks of each family; /0 is the location `*`. */
const longest = { 4: 24, 6: 48 } as const;
const quotas = { collections: 5, blocksOfCollection: 1000, blocksOfRequest: 1000 } as const;

/** The account's CIDR collections. Unlike records they change at once: there is no PENDING, and DNS sees a change with the next query. */
export class CidrCollections {
  readonly #collections = new Map<string, Collection>();
  readonly #newId: () => string;
  readonly #usesOf: Uses;

  constructor(newId: () => string, usesOf: Uses) {
    this.#newId = newId;
    this.#usesOf = usesOf;
  }

  /** Creates an empty collection. The same caller reference with the same name gives the one that exists. */
  create(name: string, callerReference: string): Collection {
    const all = [...this.#collections.values()];
    const again = all.find((one) => one.callerReference === callerReference && one.name === name);
    if (again !== undefined) return again;
    if (all.some((one) => one.callerReference === callerReference || one.name === name))
      throw new ApiError(
        'CidrCollectionAlreadyExistsException',
        `A CIDR collection with the name ${name} or the CallerReference ${callerReference} already exists.`,
      );
    if (all.length >= quotas.collections)
      throw new ApiError(
        'LimitsExceeded',
        `The account has reached its limit of ${quotas.collections} CIDR collections.`,
      );
    const collection: Collection = { id: this.#newId(), name, callerReference, version: 1, blocks: [] };
    this.#collections.set(collection.id, collection);
    return collection;
  }

  /** Changes blocks, all or nothing: what is deleted first, so that a block moves from one location to another in one request. */
  change(id: string, version: number | undefined, changes: readonly BlockChange[]): Collection {
    const collection = this.require(id);
    if (version !== undefined && version !== collection.version)
      throw new ApiError(
        'CidrCollectionVersionMismatchException',
        `The CIDR collection ${id} has version ${collection.version}, not ${version}.`,
      );
    if (changes.reduce((sum, { blocks }) => sum + blocks.length, 0) > quotas.blocksOfRequest)
      throw invalidInput(`a request has at most ${quotas.blocksOfRequest} CIDR blocks`);
    const blocks = new Map(collection.blocks.map((block) => [block.prefix.text, block]));
    const named = changes.flatMap((change) => change.blocks.map((text) => ({ ...change, prefix: blockOf(text) })));
    for (const { action, location, prefix } of named)
      if (action === 'DELETE_IF_EXISTS' && blocks.get(prefix.text)?.location === location) blocks.delete(prefix.text);
    for (const { action, location, prefix } of named) {
      if (action !== 'PUT') continue;
      const other = blocks.get(prefix.text);
      if (other !== undefined && other.location !== location)
        throw new ApiError('CidrBlockInUseException', `${prefix.text} is already in the location ${other.location}.`);
      blocks.set(prefix.text, { prefix, location });
    }
    if (blocks.size > quotas.blocksOfCollection)
      throw new ApiError('LimitsExceeded', `A CIDR collection has at most ${quotas.blocksOfCollection} CIDR blocks.`);
    const left = new Set([...blocks.values()].map(({ location }) => location));
    const lost = this.#usesOf(id).find(({ location }) => location !== '*' && !left.has(location));
    if (lost !== undefined)
      throw new ApiError(
        'CidrBlockInUseException',
        `A record uses the location ${lost.location}, which would be empty.`,
      );
    const sorted = [...blocks.values()].sort((a, b) => comparePrefixes(a.prefix, b.prefix));
    const changed: Collection = { ...collection, version: collection.version + 1, blocks: sorted };
    this.#collections.set(id, changed);
    return changed;
  }

  /** Deletes a collection without blocks that no record uses. */
  delete(id: string): void {
    const { blocks } = this.require(id);
    if (blocks.length > 0 || this.#usesOf(id).length > 0)
      throw new ApiError('CidrCollectionInUseException', `The CIDR collection ${id} is in use, or is not empty.`);
    this.#collections.delete(id);
  }

  require(id: string): Collection {
    const collection = this.#collections.get(id);
    if (collection === undefined)
      throw new ApiError('NoSuchCidrCollectionException', `The CIDR collection ${id} does not exist.`);
    return collection;
  }

  /** All collections by id. */
  list(): readonly Collection[] {
    return [...this.#collections.values()].toSorted((a, b) => compareText(a.id, b.id));
  }

  /** Whether a record may name the location. */
  hasLocation(id: string, location: string): boolean {
    const collection = this.#collections.get(id);
    return collection !== undefined && (location === '*' || locationsOf(collection).includes(location));
  }

  /** The location of the most specific block that holds the whole network of a client; undefined when none does. */
  locationOf(id: string, client: Prefix): string | undefined {
    const holding = (this.#collections.get(id)?.blocks ?? []).filter(({ prefix }) => contains(prefix, client));
    return holding.toSorted((a, b) => b.prefix.length - a.prefix.length)[0]?.location;
  }
}

/** The locations of a collection, sorted: those that have a block. */
export function locationsOf({ blocks }: Collection): readonly string[] {
  return [...new Set(blocks.map(({ location }) => location))].sort();
}

/** The network that an address and the length of a client subnet stand for. */
export function clientNetwork(address: string, length?: number): Prefix | undefined {
  const host = parsePrefix(address);
  return host === undefined || length === undefined ? host : widened(host, length);
}

function blockOf(text: string): Prefix {
  const prefix = text.includes('/') ? parsePrefix(text) : undefined;
  if (prefix === undefined) throw invalidInput(`not a CIDR block without host bits: ${text}`);
  if (prefix.length < 1 || prefix.length > longest[prefix.family])
    throw invalidInput(
      `${text}: CIDR blocks of IPv${prefix.family} have 1 to ${longest[prefix.family]} bits; /0 is the location *`,
    );
  return prefix;
}
