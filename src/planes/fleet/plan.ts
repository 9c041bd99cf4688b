import { compareText } from '../../model/values.ts';
import type { CompiledFleet } from './compile/compile.ts';
import { type ComponentName, componentNames, type ServerDocument } from './compile/document.ts';
import type { Wave } from './compile/waves.ts';

/** What becomes of one server's document. */
export interface DocumentChange {
  readonly server: string;
  readonly change: 'new' | 'changed' | 'gone';
  /** What is different: components, and the parts of a document that are none. */
  readonly parts: readonly (ComponentName | 'system' | 'certificates' | 'server')[];
  /** Components of which a unit is restarted by the wave, because etcd or the API must be well before the next server. */
  readonly orchestrated: readonly ComponentName[];
}

export interface FleetPlan {
  /** By name; servers whose documents stay are left out. */
  readonly changes: readonly DocumentChange[];
  /** The waves of the servers that are touched; one without any is left out. A server that is gone is in none: nothing is done to it. */
  readonly waves: readonly Wave[];
  /** What a person must do beside the waves, or know before them. */
  readonly warnings: readonly string[];
}

/**
 * What differs between the documents that were written and those of now. `pending` are servers to be touched although their documents stay: they
 * have not got them yet.
 */
export function planFleet(
  before: ReadonlyMap<string, ServerDocument>,
  after: CompiledFleet,
  pending: ReadonlySet<string> = new Set(),
): FleetPlan {
  const names = [...new Set([...before.keys(), ...after.documents.keys()])].toSorted(compareText);
  const changes = names
    .map((server) => changeOf(server, before.get(server), after.documents.get(server)))
    .filter((change) => change !== undefined);
  const changed = changes.filter(({ change }) => change !== 'gone').map(({ server }) => server);
  const touched = new Set([...changed, ...pending]);
  const waves = after.waves
    .map((wave) => ({ ...wave, servers: wave.servers.filter((server) => touched.has(server)) }))
    .filter(({ servers }) => servers.length > 0);
  return {
    changes,
    waves,
    warnings: [...memberWarnings(before, after.documents), ...goneWarnings(changes), ...after.warnings],
  };
}

type Documents = ReadonlyMap<string, ServerDocument>;

/**
 * etcd takes its members and their addresses from its own data once it has any: a member that comes, goes or moves is a change of the
 * membership, one at a time, and no document makes it.
 */
function memberWarnings(before: Documents, after: Documents): readonly string[] {
  const members = (documents: Documents) =>
    new Map(
      [...documents.values()]
        .filter(({ server }) => server.roles.includes('etcd'))
        .map(({ server }) => [server.id, server] as const),
    );
  const [old, now] = [members(before), members(after)];
  const running = new Set([...old.values()].map(({ cluster }) => cluster));
  const come = [...now.values()].filter(({ id, cluster }) => !old.has(id) && running.has(cluster));
  const gone = [...old.values()].filter(({ id }) => !now.has(id));
  const moved = [...now.values()].filter(({ id, addresses }) => {
    const was = old.get(id);
    return was !== undefined && was.addresses[0] !== addresses[0];
  });
  return [
    ...come.map(
      ({ id }) =>
        `${id} joins etcd: run \`etcdctl member add ${id} --learner\` and write etcd-join.env before its wave`,
    ),
    ...gone.map(({ id }) => `${id} leaves etcd: run \`etcdctl member remove\` for it before anything else`),
    ...moved.map(
      ({ id, addresses }) =>
        `${id} has another address: run \`etcdctl member update\` with ${addresses[0] ?? ''} when the server has it, before its wave`,
    ),
    ...(come.length + gone.length + moved.length > 1
      ? ['these are several changes of the members of etcd: make them one at a time, or the cluster loses its quorum']
      : []),
  ];
}

function goneWarnings(changes: readonly DocumentChange[]): readonly string[] {
  return changes
    .filter(({ change }) => change === 'gone')
    .map(({ server }) => `${server} gets no document any more and runs on as it is: drain and stop it by hand`);
}

function changeOf(
  server: string,
  before: ServerDocument | undefined,
  after: ServerDocument | undefined,
): DocumentChange | undefined {
  if (after === undefined) return { server, change: 'gone', parts: [], orchestrated: [] };
  const parts = before === undefined ? after.components.map(({ name }) => name) : partsBetween(before, after);
  if (before !== undefined && parts.length === 0) return undefined;
  return {
    server,
    change: before === undefined ? 'new' : 'changed',
    parts,
    orchestrated: before === undefined ? [] : orchestratedBetween(before, after),
  };
}

function partsBetween(before: ServerDocument, after: ServerDocument): DocumentChange['parts'] {
  const component = (document: ServerDocument, name: ComponentName) => {
    const found = document.components.find((one) => one.name === name);
    return { found, artifacts: found?.artifacts.map((artifact) => document.artifacts[artifact]) };
  };
  return [
    ...(equal(before.server, after.server) ? [] : (['server'] as const)),
    ...(equal(before.system, after.system) ? [] : (['system'] as const)),
    ...(equal(before.pki, after.pki) ? [] : (['certificates'] as const)),
    ...componentNames.filter((name) => !equal(component(before, name), component(after, name))),
  ];
}

/** Components with a unit that is left to the wave and whose text, or something that it watches, is another. */
function orchestratedBetween(before: ServerDocument, after: ServerDocument): readonly ComponentName[] {
  return after.components
    .filter(({ units }) =>
      Object.entries(units).some(([name, unit]) => {
        if (unit.onChange !== 'orchestrated') return false;
        const was = before.components.map((component) => component.units[name]).find((found) => found !== undefined);
        return (
          was?.text !== unit.text ||
          unit.watches.some((watched) => !equal(thing(before, watched), thing(after, watched)))
        );
      }),
    )
    .map(({ name }) => name);
}

/** What a watch names: a file, something of the PKI, or an artifact. */
function thing({ components, pki, artifacts }: ServerDocument, name: string): unknown {
  const files = components.map((component) => component.files[name]);
  return [
    ...files,
    pki.certificates[name],
    pki.keys[name],
    pki.authorities[name],
    pki.secrets[name],
    artifacts[name],
  ].find((found) => found !== undefined);
}

/** Documents have sorted keys, so that equal ones have equal texts. */
function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
