import { deepEqual } from '../../../kube/objects/equal.ts';
import type { Backend, BackendKey, Certificate, Host, Path, RoutingTable } from '../table.ts';

/** A table with its entries by key, to take differences from. The maps belong to the code that made them. */
export interface IndexedTable {
  readonly hosts: Map<string, Host>;
  readonly backends: Map<BackendKey, Backend>;
  readonly certificates: Map<string, Certificate>;
}

interface Change<Entry> {
  readonly upsert: readonly Entry[];
  readonly delete: readonly string[];
}

/** What turns one table into another, in the words of the control channel. */
export interface TableDelta {
  readonly hosts: Change<Host>;
  readonly backends: Change<Backend>;
  readonly certificates: Change<Certificate>;
}

export function indexTable(table: RoutingTable): IndexedTable {
  return {
    hosts: new Map(table.hosts.map((host) => [host.name, host])),
    backends: new Map(table.backends.map((backend) => [backend.key, backend])),
    certificates: new Map(table.certificates.map((certificate) => [certificate.id, certificate])),
  };
}

export function emptyTable(): IndexedTable {
  return { hosts: new Map(), backends: new Map(), certificates: new Map() };
}

/** The smallest delta from one table to another; entries that are the same object cost nothing to compare. */
export function diffTables(from: IndexedTable, to: IndexedTable): TableDelta {
  return {
    hosts: diffMaps(from.hosts, to.hosts, sameHost),
    backends: diffMaps(from.backends, to.backends, sameBackend),
    certificates: diffMaps(from.certificates, to.certificates, (a, b) => a.chain === b.chain && a.key === b.key),
  };
}

/** As `diffTables`, for some backends only: the endpoint fast path never looks at the rest of the table. */
export function diffBackends(from: IndexedTable, to: IndexedTable, keys: Iterable<BackendKey>): TableDelta {
  const upsert: Backend[] = [];
  for (const key of keys) {
    const [before, after] = [from.backends.get(key), to.backends.get(key)];
    if (after !== undefined && (before === undefined || !sameBackend(before, after))) upsert.push(after);
  }
  const none = { upsert: [], delete: [] };
  return { hosts: none, backends: { upsert, delete: [] }, certificates: none };
}

/** Applies the delta to the table, in place. */
export function applyDelta(table: IndexedTable, delta: TableDelta): void {
  applyChange(table.hosts, delta.hosts, (host) => host.name);
  applyChange(table.backends, delta.backends, (backend) => backend.key);
  applyChange(table.certificates, delta.certificates, (certificate) => certificate.id);
}

/** The number of entries that the delta changes. */
export function deltaSize(delta: TableDelta): number {
  return [delta.hosts, delta.backends, delta.certificates].reduce(
    (sum, change) => sum + change.upsert.length + change.delete.length,
    0,
  );
}

/**
 * The delta as the members of JSON objects (`"hosts":{...},"backends":{...}`), split so that none is much longer than
 * `maxLength` characters: nginx stages one in a few milliseconds. A single entry is never split.
 */
export function encodeDelta(delta: TableDelta, maxLength: number): readonly string[] {
  const bodies: string[] = [];
  let pieces: { readonly kind: string; readonly list: 'upsert' | 'delete'; readonly json: string }[] = [];
  let length = 0;
  const flush = (): void => {
    if (pieces.length > 0) bodies.push(join(pieces));
    pieces = [];
    length = 0;
  };
  for (const kind of ['certificates', 'backends', 'hosts'] as const) {
    for (const list of ['upsert', 'delete'] as const) {
      for (const entry of delta[kind][list]) {
        const json = encode(entry);
        if (length + json.length > maxLength) flush();
        pieces.push({ kind, list, json });
        length += json.length;
      }
    }
  }
  flush();
  return bodies;
}

/**
 * JSON that every parser takes: half a surrogate pair becomes U+FFFD, because one such path would make nginx refuse the
 * whole change.
 */
function encode(entry: unknown): string {
  const json = JSON.stringify(entry);
  if (!json.includes('\\ud')) return json;
  return JSON.stringify(entry, (_key, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}

function join(pieces: readonly { readonly kind: string; readonly list: string; readonly json: string }[]): string {
  const kinds = Map.groupBy(pieces, ({ kind }) => kind);
  return [...kinds]
    .map(([kind, ofKind]) => {
      const lists = Map.groupBy(ofKind, ({ list }) => list);
      const members = [...lists].map(([list, ofList]) => `"${list}":[${ofList.map(({ json }) => json).join(',')}]`);
      return `"${kind}":{${members.join(',')}}`;
    })
    .join(',');
}

function diffMaps<Entry>(
  from: ReadonlyMap<string, Entry>,
  to: ReadonlyMap<string, Entry>,
  same: (a: Entry, b: Entry) => boolean,
): Change<Entry> {
  const upsert: Entry[] = [];
  for (const [name, entry] of to) {
    const before = from.get(name);
    if (before !== entry && (before === undefined || !same(before, entry))) upsert.push(entry);
  }
  return { upsert, delete: [...from.keys()].filter((name) => !to.has(name)) };
}

function applyChange<Entry>(map: Map<string, Entry>, change: Change<Entry>, nameOf: (entry: Entry) => string): void {
  for (const name of change.delete) map.delete(name);
  for (const entry of change.upsert) map.set(nameOf(entry), entry);
}

function sameHost(a: Host, b: Host): boolean {
  return (
    a.defaultBackend === b.defaultBackend &&
    a.certificate === b.certificate &&
    a.defaultSettings === b.defaultSettings &&
    sameList(a.paths, b.paths, samePath) &&
    sameList(a.settings ?? [], b.settings ?? [], deepEqual)
  );
}

function samePath(x: Path, y: Path): boolean {
  return x.match === y.match && x.path === y.path && x.backend === y.backend && x.settings === y.settings;
}

function sameBackend(a: Backend, b: Backend): boolean {
  return sameList(a.endpoints, b.endpoints, (x, y) => x.address === y.address && x.port === y.port);
}

function sameList<Entry>(a: readonly Entry[], b: readonly Entry[], same: (x: Entry, y: Entry) => boolean): boolean {
  return (
    a.length === b.length &&
    a.every((entry, index) => {
      const other = b[index];
      return entry === other || (other !== undefined && same(entry, other));
    })
  );
}
