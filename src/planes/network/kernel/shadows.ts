import { overlaps, type Prefix, parsePrefix } from '../../../model/address.ts';
import type { NetworkNotice } from '../plan.ts';
import { blackholeMetric, type ForeignRoute, type Rule } from './parse.ts';

/** The routes and rules of other programs that decide about packets to our blocks before our blackholes and the pods' routes do. */
export function shadowsOf(
  covers: ReadonlyMap<string, readonly Prefix[]>,
  foreign: readonly ForeignRoute[],
  rules: readonly Rule[],
): readonly NetworkNotice[] {
  const blocks = [...covers.keys()].flatMap((text) => parsePrefix(text) ?? []);
  const inMain = foreign.filter((route) => route.table === 'main' && isOdd(route));
  const routes = inMain.flatMap((route) => {
    const block = blocks.find((one) => one.length <= route.prefix.length && overlaps(one, route.prefix));
    const isWhole = block !== undefined && covers.get(block.text)?.[0]?.text === block.text;
    return block === undefined || (route.type === 'blackhole' && isWhole) ? [] : [routeNotice(block, route)];
  });
  const sent = rules.flatMap((rule) => {
    const theirs = foreign.filter(({ table, prefix }) => table === rule.table && prefix.family === rule.family);
    return blocks.flatMap((block) => {
      if (block.family !== rule.family || (rule.to !== undefined && !overlaps(rule.to, block))) return [];
      const route = theirs.find(({ prefix, type }) => type !== 'throw' && overlaps(prefix, block));
      return route === undefined ? [] : [ruleNotice(block, rule, route)];
    });
  });
  return [...routes, ...sent];
}

/** Prefixes where another program's route has the place of a blackhole of ours: same prefix, same metric. */
export function placesTaken(foreign: readonly ForeignRoute[]): ReadonlyMap<string, ForeignRoute> {
  const taken = foreign.filter(({ table, metric }) => table === 'main' && metric === blackholeMetric);
  return new Map(taken.map((route) => [route.prefix.text, route]));
}

/** Pods have host routes and bridges routes that stay on the machine; nothing else belongs into a block of ours. */
function isOdd({ prefix, type, leaves, metric }: ForeignRoute): boolean {
  const isHost = prefix.length === (prefix.family === 4 ? 32 : 128);
  return !isHost && metric !== blackholeMetric && (leaves || type !== 'unicast');
}

function routeNotice(block: Prefix, { prefix, type, protocol }: ForeignRoute): NetworkNotice {
  const what = `a ${type} route of protocol ${protocol} to ${prefix.text}`;
  return { subject: block.text, reason: 'RouteShadows', message: `${what} takes packets of the block` };
}

function ruleNotice(block: Prefix, { priority, table }: Rule, { prefix }: ForeignRoute): NetworkNotice {
  const what = `the ip rule of priority ${priority} asks table ${table} first, which has a route to ${prefix.text}`;
  return { subject: block.text, reason: 'RuleShadows', message: what };
}
