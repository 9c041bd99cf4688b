import { type Prefix, parsePrefix } from '../../../model/address.ts';
import type { UplinkRule } from './uplinks.ts';

/** Our routing protocol number (docs/decisions): iproute2, BIRD, FRR, Calico and Cilium use it for nothing else. */
export const routeProtocol = 114;
/** The metric is so high that any real route to the same prefix wins. */
export const blackholeMetric = 65_535;

/** The priorities of our two rules for each uplink and block with holes, before those of most programs. */
export const uplinkPriority = { inside: 114, drop: 115 } as const;

export interface KernelRoutes {
  readonly blackholes: readonly Prefix[];
  readonly foreign: readonly ForeignRoute[];
  /** The interfaces by which packets leave for other machines, and may come back, sorted. */
  readonly uplinks: readonly string[];
}

export interface KernelRules {
  /** The rules of others that send packets to their tables before the main one. */
  readonly foreign: readonly Rule[];
  readonly uplink: readonly UplinkRule[];
}

/** A route of another program. */
export interface ForeignRoute {
  readonly prefix: Prefix;
  /** `main`, or the name or number of another table. */
  readonly table: string;
  /** `unicast`, `blackhole`, `unreachable`, … */
  readonly type: string;
  readonly protocol: string;
  readonly metric: number;
  /** True when it sends packets to another machine. */
  readonly leaves: boolean;
}

/** A rule that sends packets to a table of its own before the main table is asked, whoever sent them. */
export interface Rule {
  readonly family: 4 | 6;
  readonly priority: number;
  readonly table: string;
  /** The destinations that it is for; all where absent. */
  readonly to?: Prefix;
}

const forMachineItself = new Set(['local', 'broadcast', 'multicast', 'anycast']);

/** The routes that `ip -j route show table all` prints for a family; no route is printed as nothing, or as `[ ]`. */
export function parseRoutes(json: string, family: 4 | 6): KernelRoutes {
  const blackholes: Prefix[] = [];
  const foreign: ForeignRoute[] = [];
  const uplinks = new Set<string>();
  for (const entry of listOf(json)) {
    const { dst, type = 'unicast', table = 'main', protocol = 'boot', metric = 0 } = entry;
    const prefix = prefixOf(dst, family);
    if (prefix === undefined || table === 'local' || forMachineItself.has(String(type))) continue;
    if (type === 'blackhole' && protocol === String(routeProtocol) && table === 'main') blackholes.push(prefix);
    else {
      const leaves = 'gateway' in entry || 'via' in entry || 'nexthops' in entry;
      if (leaves || prefix.length === 0) for (const device of devicesOf(entry)) uplinks.add(device);
      foreign.push({
        prefix,
        table: String(table),
        type: String(type),
        protocol: String(protocol),
        metric: Number(metric),
        leaves,
      });
    }
  }
  return { blackholes, foreign, uplinks: [...uplinks].toSorted() };
}

/** The interfaces of a route and of its next hops; the loopback interface leads nowhere. */
function devicesOf({ dev, nexthops }: Readonly<Record<string, unknown>>): readonly string[] {
  const hops: readonly unknown[] = Array.isArray(nexthops) ? nexthops : [];
  const devices = hops.map((hop) => (typeof hop === 'object' && hop !== null && 'dev' in hop ? hop.dev : undefined));
  return [dev, ...devices].filter((device): device is string => typeof device === 'string' && device !== 'lo');
}

/** What a rule may say without being for some packets only, which nobody here can judge. */
const plain = new Set(['priority', 'src', 'dst', 'dstlen', 'table', 'protocol']);
const mainPriority = 32_766;

/** The rules among those that `ip -j rule show` prints for a family that other tables than the main one owe packets to. */
export function parseRules(json: string, family: 4 | 6): readonly Rule[] {
  return listOf(json).flatMap((entry) => {
    const { priority, src, dst, dstlen, table } = entry;
    const isPlain = src === 'all' && Object.keys(entry).every((key) => plain.has(key));
    if (!isPlain || typeof table !== 'string' || table === 'local' || table === 'main') return [];
    if (typeof priority !== 'number' || priority >= mainPriority) return [];
    if (dst === undefined || dst === 'all') return [{ family, priority, table }];
    const to = prefixOf(typeof dst === 'string' && typeof dstlen === 'number' ? `${dst}/${dstlen}` : dst, family);
    return to === undefined ? [] : [{ family, priority, table, to }];
  });
}

/** Our rules for packets from uplinks. A rule of ours that is not as we make them is none. */
export function parseUplinkRules(json: string, family: 4 | 6): readonly UplinkRule[] {
  return listOf(json).flatMap((entry): readonly UplinkRule[] => {
    const { priority, protocol, dst, dstlen, iif, table, action, suppress_prefixlen: suppressed } = entry;
    if (protocol !== String(routeProtocol) || typeof iif !== 'string') return [];
    const block = prefixOf(typeof dst === 'string' && typeof dstlen === 'number' ? `${dst}/${dstlen}` : dst, family);
    if (block === undefined) return [];
    if (priority === uplinkPriority.drop && action === 'blackhole') return [{ block, uplink: iif, action: 'drop' }];
    const isInside = priority === uplinkPriority.inside && table === 'main' && suppressed === block.length - 1;
    return isInside ? [{ block, uplink: iif, action: 'inside' }] : [];
  });
}

function prefixOf(dst: unknown, family: 4 | 6): Prefix | undefined {
  if (dst === 'default') return parsePrefix(family === 4 ? '0.0.0.0/0' : '::/0');
  return typeof dst === 'string' ? parsePrefix(dst) : undefined;
}

function listOf(json: string): readonly Readonly<Record<string, unknown>>[] {
  const value: unknown = json.trim() === '' ? [] : JSON.parse(json);
  if (!Array.isArray(value)) throw new Error('ip -j printed no list');
  const entries: readonly unknown[] = value;
  return entries.filter((entry) => typeof entry === 'object' && entry !== null).map((entry) => ({ ...entry }));
}
