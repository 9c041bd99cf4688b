import { type RouterNeighbor, type RouterSpec, renderRouter } from '../../../lab/daemons/birdconfig.ts';
import type { Daemon } from '../../../lab/daemons/process.ts';
import type { Network } from '../../../lab/net/network.ts';
import { type Bird, startBird } from './bird.ts';
import { type Frr, startFrr } from './frr.ts';
import { renderBgpd } from './frrconfig.ts';
import { waitReady } from './ready.ts';

/** The routers that Tideline's announcements are tried on: the lab's, and the one that many top-of-rack switches run. */
export const routerKinds = ['BIRD', 'FRR'] as const;
export type RouterKind = (typeof routerKinds)[number];

/** What a router says of one path of its BGP table. */
export interface RouterPath {
  readonly prefix: string;
  readonly nextHop: string;
  /** False for a path that the router has but does not use because it cannot reach the next hop. */
  readonly valid: boolean;
  readonly asPath: readonly number[];
  readonly med: number | undefined;
}

export interface RouterOptions {
  readonly network: Network;
  readonly namespace: string;
  readonly directory: string;
  readonly spec: RouterSpec;
}

/** What a person may edit of a session on the router: the neighbour's AS and limit of prefixes, and the AS that it shows the neighbour. */
export type SessionEdit = Partial<Pick<RouterNeighbor, 'asn' | 'maxPrefixes'>> & { readonly ownAsn?: number };

/** One running router; neighbours have the names of its `RouterSpec`. */
export interface Router {
  readonly kind: RouterKind;
  readonly daemon: Daemon;
  /** The name of the protocol under which its BGP routes are in the kernel's table (`ip route show proto NAME`). */
  readonly kernelProtocol: 'bird' | 'bgp';
  established(neighbor: string): Promise<boolean>;
  /** Resolves when all these sessions are established. */
  waitEstablished(neighbors: readonly string[], timeoutMs: number): Promise<void>;
  /** True while the router keeps routes of a neighbour that restarts gracefully, until its end-of-RIB or for the agreed time. */
  keepsStale(neighbor: string): Promise<boolean>;
  /** The paths learnt of its neighbours, without its own. */
  paths(): Promise<readonly RouterPath[]>;
  /** The standard communities of the best path of a prefix, as `asn:value`. */
  communities(prefix: string): Promise<readonly string[]>;
  /** Shuts the session, and tells the neighbour `why` (RFC 9003) if it is given, or opens it again. */
  setSession(neighbor: string, state: 'shut' | 'open', why?: string): Promise<void>;
  /**
   * Sets a session's whole edit; what is absent is as in the `RouterSpec`. A router of either kind then ends the session when
   * `maxPrefixes` is exceeded, and does not open it again by itself.
   */
  editSession(neighbor: string, edit: SessionEdit): Promise<void>;
  stop(): Promise<void>;
}

export function startRouter(kind: RouterKind, options: RouterOptions): Promise<Router> {
  return kind === 'BIRD' ? startBirdRouter(options) : startFrrRouter(options);
}

async function startBirdRouter(options: RouterOptions): Promise<Router> {
  const bird = await startBird({ ...options, config: renderRouter(options.spec) });
  return {
    ...ofBird(bird),
    editSession: (name, edit) => bird.configure(editedBird(options.spec, name, edit)),
  };
}

function editedBird(spec: RouterSpec, name: string, { ownAsn = spec.asn, ...edit }: SessionEdit): string {
  const neighbors = spec.neighbors.map((neighbor) => (neighbor.name === name ? { ...neighbor, ...edit } : neighbor));
  return renderRouter({ ...spec, asn: ownAsn, neighbors }).replaceAll('action block', 'action disable');
}

function ofBird(bird: Bird): Omit<Router, 'editSession'> {
  return {
    kind: 'BIRD',
    daemon: bird.daemon,
    kernelProtocol: 'bird',
    established: (neighbor) => bird.established(neighbor),
    waitEstablished: (neighbors, timeoutMs) => bird.waitEstablished(neighbors, timeoutMs),
    keepsStale: async (neighbor) =>
      (await bird.ask(`show protocols all ${neighbor}`)).some((line) => line.includes('graceful restart active')),
    paths: async () => birdPaths(await bird.ask('show route all')),
    communities: async (prefix) => {
      const text = (await bird.ask(`show route ${prefix} primary all`)).find((line) => line.includes('BGP.community:'));
      return [...(text ?? '').matchAll(/\((\d+),(\d+)\)/g)].map(([, asn, value]) => `${asn}:${value}`);
    },
    async setSession(neighbor, state, why) {
      await bird.ask(`${state === 'shut' ? 'disable' : 'enable'} ${neighbor}${why === undefined ? '' : ` "${why}"`}`);
    },
    stop: () => bird.stop(),
  };
}

/** A path is a line with its prefix (left out for further paths of the same prefix) and indented lines of attributes. */
function birdPaths(lines: readonly string[]): readonly RouterPath[] {
  const paths: { prefix: string; text: string }[] = [];
  for (const line of lines) {
    const head = /^(\S*)\s+(?:unicast|unreachable|blackhole) \[/.exec(line);
    if (head !== null) paths.push({ prefix: head[1] || (paths.at(-1)?.prefix ?? ''), text: line });
    else {
      const last = paths.at(-1);
      if (last !== undefined) last.text += `\n${line}`;
    }
  }
  return paths
    .filter(({ text }) => text.includes('BGP.origin'))
    .map(({ prefix, text }) => {
      const attribute = (name: string): string => new RegExp(`BGP\\.${name}: (.*)`).exec(text)?.[1] ?? '';
      const med = attribute('med');
      return {
        prefix,
        nextHop: attribute('next_hop').split(' ')[0] ?? '',
        valid: !/^\S*\s+unreachable/.test(text),
        asPath: numbers(attribute('as_path')),
        med: med === '' ? undefined : Number(med),
      };
    });
}

async function startFrrRouter(options: RouterOptions): Promise<Router> {
  const frr = await startFrr({ ...options, config: renderBgpd(options.spec) });
  let before: SessionEdit = {};
  const addressOf = (name: string): string => neighborOf(options.spec, name).address;
  const established = (name: string): Promise<boolean> => isEstablished(frr, addressOf(name));
  return {
    kind: 'FRR',
    daemon: frr.bgpd,
    kernelProtocol: 'bgp',
    established,
    waitEstablished: (names, timeoutMs) =>
      waitReady(frr.bgpd, async () => (await Promise.all(names.map(established))).every(Boolean), timeoutMs),
    keepsStale: async (name) => {
      const paths = Object.values(await frrTable(frr)).flat();
      return paths.some(({ stale, peerId }) => stale === true && peerId === addressOf(name));
    },
    paths: async () => frrPaths(await frrTable(frr)),
    communities: async (prefix) => {
      const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
      const { paths = [] } = (await frr.show(`show bgp ${family} unicast ${prefix} bestpath`)) as FrrDetail;
      return paths[0]?.community?.list ?? [];
    },
    setSession: (name, state, why) =>
      frr.configure(
        `router bgp ${options.spec.asn}`,
        `${state === 'shut' ? '' : 'no '}neighbor ${addressOf(name)} shutdown${why === undefined ? '' : ` message ${why}`}`,
      ),
    async editSession(name, edit) {
      await frr.configure(...frrEdit(options.spec, name, before, edit));
      before = edit;
    },
    stop: () => frr.stop(),
  };
}

function frrEdit(spec: RouterSpec, name: string, before: SessionEdit, edit: SessionEdit): readonly string[] {
  const neighbor = neighborOf(spec, name);
  const word = `neighbor ${neighbor.address}`;
  const limit = edit.maxPrefixes ?? neighbor.maxPrefixes;
  const family = neighbor.address.includes(':') ? 'ipv6' : 'ipv4';
  return [
    `router bgp ${spec.asn}`,
    `${word} remote-as ${edit.asn ?? neighbor.asn}`,
    ...(edit.ownAsn === undefined ? [] : [`${word} local-as ${edit.ownAsn}`]),
    ...(edit.ownAsn === undefined && before.ownAsn !== undefined ? [`no ${word} local-as ${before.ownAsn}`] : []),
    `address-family ${family} unicast`,
    limit === undefined ? `no ${word} maximum-prefix` : `${word} maximum-prefix ${limit}`,
  ];
}

function neighborOf(spec: RouterSpec, name: string): RouterNeighbor {
  const neighbor = spec.neighbors.find((entry) => entry.name === name);
  if (neighbor === undefined) throw new Error(`no neighbour ${name}`);
  return neighbor;
}

async function isEstablished(frr: Frr, address: string): Promise<boolean> {
  const summary = (await frr.show('show bgp summary')) as FrrSummary;
  return Object.values(summary).some((family) => family.peers?.[address]?.state === 'Established');
}

/** The paths of both families by prefix. */
async function frrTable(frr: Frr): Promise<Readonly<Record<string, readonly FrrPath[]>>> {
  const [four, six] = await Promise.all(
    (['ipv4', 'ipv6'] as const).map(async (family) => (await frr.show(`show bgp ${family} unicast`)) as FrrTable),
  );
  return { ...four?.routes, ...six?.routes };
}

function frrPaths(table: Readonly<Record<string, readonly FrrPath[]>>): readonly RouterPath[] {
  return Object.entries(table).flatMap(([prefix, paths]) =>
    paths.map((path) => ({
      prefix,
      nextHop: path.nexthops[0]?.ip ?? '',
      valid: path.valid === true,
      asPath: numbers(path.path ?? ''),
      med: path.metric,
    })),
  );
}

function numbers(text: string): readonly number[] {
  return text
    .split(' ')
    .filter((word) => /^\d+$/.test(word))
    .map(Number);
}

/** The parts of FRR's JSON that are read here. */
type FrrSummary = Readonly<
  Record<string, { readonly peers?: Readonly<Record<string, { readonly state: string } | undefined>> }>
>;
interface FrrTable {
  readonly routes?: Readonly<Record<string, readonly FrrPath[]>>;
}
interface FrrPath {
  readonly valid?: boolean;
  readonly stale?: boolean;
  /** The address of the neighbour. */
  readonly peerId?: string;
  readonly metric?: number;
  readonly path?: string;
  readonly nexthops: readonly { readonly ip?: string }[];
}
interface FrrDetail {
  readonly paths?: readonly { readonly community?: { readonly list?: readonly string[] } }[];
}
