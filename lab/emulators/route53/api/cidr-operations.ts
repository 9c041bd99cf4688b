import { type BlockChange, type Collection, locationsOf } from '../cidr/collections.ts';
import { ApiError, invalidInput } from '../reasons.ts';
import { Fields } from './fields.ts';
import { type ApiRequest, bodyOf, type Operation, pathParameter } from './operation.ts';
import type { Element, XmlNode } from './xml.ts';

const createCidrCollection: Operation = {
  action: 'CreateCidrCollection',
  method: 'POST',
  path: 'cidrcollection',
  query: [],
  run({ cidrCollections, log }, request) {
    const fields = new Fields(rooted(bodyOf(request), 'CreateCidrCollectionRequest'), ['Name', 'CallerReference']);
    const name = fields.requiredText('Name');
    const reference = fields.requiredText('CallerReference');
    if (!/^[0-9A-Za-z_-]{1,64}$/.test(name))
      throw invalidInput(`Name must have 1 to 64 of 0-9, A-Z, a-z, _ and -: ${name}`);
    if (!/^[ -~]{1,64}$/.test(reference)) throw invalidInput('CallerReference must have 1 to 64 ASCII characters');
    const collection = cidrCollections.create(name, reference);
    log.info({ collection: collection.id, name }, 'CIDR collection created');
    return {
      status: 201,
      root: 'CreateCidrCollectionResponse',
      location: `/2013-04-01/cidrcollection/${collection.id}`,
      children: [['Collection', summaryOf(collection)]],
    };
  },
};

const changeCidrCollection: Operation = {
  action: 'ChangeCidrCollection',
  method: 'POST',
  path: 'cidrcollection/:id',
  query: [],
  run({ cidrCollections }, request) {
    const root = rooted(bodyOf(request), 'ChangeCidrCollectionRequest');
    const fields = new Fields(root, ['CollectionVersion', 'Changes']);
    const version = fields.integer('CollectionVersion', 1, Number.MAX_SAFE_INTEGER);
    const changes = fields.list('Changes', 'member') ?? [];
    if (changes.length === 0) throw invalidInput('Changes must have at least one CidrCollectionChange');
    const { id } = cidrCollections.change(pathParameter(request, 'id'), version, changes.map(readChange));
    return { status: 200, root: 'ChangeCidrCollectionResponse', children: [['Id', id]] };
  },
};

function readChange(element: Element): BlockChange {
  const fields = new Fields(element, ['LocationName', 'Action', 'CidrList']);
  const location = fields.requiredText('LocationName');
  if (!/^[0-9A-Za-z_-]{1,16}$/.test(location))
    throw invalidInput(`LocationName must have 1 to 16 of 0-9, A-Z, a-z, _ and -: ${location}`);
  const action = fields.oneOf('Action', ['PUT', 'DELETE_IF_EXISTS'] as const);
  if (action === undefined) throw invalidInput('CidrCollectionChange.Action is required');
  const blocks = fields.texts('CidrList', 'Cidr') ?? [];
  if (blocks.length === 0) throw invalidInput('CidrCollectionChange.CidrList must have at least one Cidr');
  return { action, location, blocks };
}

const deleteCidrCollection: Operation = {
  action: 'DeleteCidrCollection',
  method: 'DELETE',
  path: 'cidrcollection/:id',
  query: [],
  run({ cidrCollections }, request) {
    cidrCollections.delete(pathParameter(request, 'id'));
    return { status: 200, root: 'DeleteCidrCollectionResponse', children: [] };
  },
};

const pages = ['maxresults', 'nexttoken'];

const listCidrCollections: Operation = {
  action: 'ListCidrCollections',
  method: 'GET',
  path: 'cidrcollection',
  query: pages,
  run({ cidrCollections }, request) {
    const { items, next } = paged(cidrCollections.list(), request);
    const summaries = items.map((collection): XmlNode => ['member', summaryOf(collection)]);
    return { status: 200, root: 'ListCidrCollectionsResponse', children: [next, ['CidrCollections', summaries]] };
  },
};

const listCidrLocations: Operation = {
  action: 'ListCidrLocations',
  method: 'GET',
  path: 'cidrcollection/:id',
  query: pages,
  run({ cidrCollections }, request) {
    const { items, next } = paged(locationsOf(cidrCollections.require(pathParameter(request, 'id'))), request);
    const summaries = items.map((name): XmlNode => ['member', [['LocationName', name]]]);
    return { status: 200, root: 'ListCidrLocationsResponse', children: [next, ['CidrLocations', summaries]] };
  },
};

const listCidrBlocks: Operation = {
  action: 'ListCidrBlocks',
  method: 'GET',
  path: 'cidrcollection/:id/cidrblocks',
  query: ['location', ...pages],
  run({ cidrCollections }, request) {
    const collection = cidrCollections.require(pathParameter(request, 'id'));
    const location = request.query.get('location');
    if (location !== null && !locationsOf(collection).includes(location))
      throw new ApiError('NoSuchCidrLocationException', `The CIDR location ${location} does not exist.`);
    const blocks = collection.blocks.filter((block) => location === null || block.location === location);
    const { items, next } = paged(blocks, request);
    const summaries = items.map(
      (block): XmlNode => [
        'member',
        [
          ['CidrBlock', block.prefix.text],
          ['LocationName', block.location],
        ],
      ],
    );
    return { status: 200, root: 'ListCidrBlocksResponse', children: [next, ['CidrBlocks', summaries]] };
  },
};

const largestPage = 100;

/** A page of a list in its order. The token is opaque to callers. */
function paged<T>(items: readonly T[], request: ApiRequest): { readonly items: readonly T[]; readonly next: XmlNode } {
  const size = request.query.get('maxresults') ?? String(largestPage);
  if (!/^[1-9]\d{0,8}$/.test(size)) throw invalidInput(`maxresults must be a positive number, not ${size}`);
  const token = request.query.get('nexttoken') ?? 'from-0';
  const start = Number(/^from-(\d{1,6})$/.exec(token)?.[1] ?? Number.NaN);
  if (Number.isNaN(start)) throw invalidInput(`nexttoken is none that was given: ${token}`);
  const end = start + Math.min(Number(size), largestPage);
  return { items: items.slice(start, end), next: ['NextToken', end < items.length ? `from-${end}` : undefined] };
}

function summaryOf({ id, name, version }: Collection): readonly XmlNode[] {
  return [
    ['Arn', `arn:aws:route53:::cidrcollection/${id}`],
    ['Id', id],
    ['Name', name],
    ['Version', version],
  ];
}

function rooted(root: Element, name: string): Element {
  if (root.name !== name) throw invalidInput(`unexpected root element ${root.name}`);
  return root;
}

export const cidrOperations: readonly Operation[] = [
  createCidrCollection,
  changeCidrCollection,
  deleteCidrCollection,
  listCidrCollections,
  listCidrLocations,
  listCidrBlocks,
];
