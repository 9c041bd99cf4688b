import { attributesKey } from './diff.ts';
import type { Route } from './route.ts';

/**
 * The commands of ExaBGP 4.2's text API (tested against 4.2.21). Only this file and decode.ts know the grammar. Every line
 * names its neighbour, and every route its next hop: `next-hop self` on a session of the other family makes ExaBGP lose every
 * route that shares the attributes. Nothing here comes from free text: prefixes and addresses are parsed values, the rest are
 * numbers.
 */
export interface Session {
  readonly address: string;
  /** Address family of the session; a session carries one. */
  readonly family: 4 | 6;
  readonly localAsn: number;
}

export interface RouteCommand {
  readonly line: string;
  readonly action: 'announce' | 'withdraw';
  readonly routes: readonly Route[];
}

/** Bulk lines are 2.5 times faster than single ones; more than 100 prefixes gain nothing. */
const maxPrefixes = 100;
/** A pipe takes up to PIPE_BUF (4096) bytes whole or not at all, so a killed relay leaves no half line behind. */
const maxLineBytes = 4000;

/**
 * The first line a new relay sends. ExaBGP keeps the cut-off last line of a child that died and puts it before the next
 * child's first: this turns whatever it was into an error instead of a shorter, valid prefix.
 */
export const poison = '/';
/**
 * Its first output line is unmistakable and ExaBGP answers in order, so all answers before that line belong to earlier
 * commands.
 */
export const showNeighbors = 'show neighbor summary';
export const showAdjRibOut = 'show adj-rib out extensive';

/**
 * The end-of-RIB. ExaBGP refuses it when the session is not up; that refusal overtakes other answers, so nothing else may be
 * outstanding.
 */
export function endOfRib(session: Session): string {
  return `neighbor ${session.address} announce eor ipv${session.family} unicast`;
}

/**
 * Commands that announce the routes of the session's family, grouped by equal attributes, at most `groupSize` prefixes a line.
 */
export function announceCommands(
  session: Session,
  routes: readonly Route[],
  groupSize = maxPrefixes,
): readonly RouteCommand[] {
  return commands('announce', session, routes, groupSize);
}

/**
 * Commands that withdraw routes. They carry the attributes of the announcement: a next hop is needed (without one ExaBGP
 * resets the session), and with equal attributes a withdrawal and a new announcement that are sent together keep their order.
 */
export function withdrawCommands(
  session: Session,
  routes: readonly Route[],
  groupSize = maxPrefixes,
): readonly RouteCommand[] {
  return commands('withdraw', session, routes, groupSize);
}

function commands(
  action: RouteCommand['action'],
  session: Session,
  routes: readonly Route[],
  groupSize: number,
): readonly RouteCommand[] {
  const fitting = routes.filter(
    (route) => route.prefix.family === session.family && route.nextHop.family === session.family,
  );
  const result: RouteCommand[] = [];
  for (const group of Map.groupBy(fitting, attributesKey).values()) {
    const head = `neighbor ${session.address} ${action} attributes ${attributes(group, session.localAsn)} nlri`;
    let line = head;
    let members: Route[] = [];
    for (const route of group) {
      if (members.length === groupSize || line.length + route.prefix.text.length + 1 > maxLineBytes) {
        result.push({ line, action, routes: members });
        line = head;
        members = [];
      }
      line += ` ${route.prefix.text}`;
      members.push(route);
    }
    result.push({ line, action, routes: members });
  }
  return result;
}

/** The attributes of a group. ExaBGP sends a given as-path as it is, without its own AS in front. */
function attributes(group: readonly Route[], localAsn: number): string {
  const route = group[0];
  if (route === undefined) return '';
  const parts = [`next-hop ${route.nextHop.text}`];
  if (route.med !== undefined) parts.push(`med ${route.med}`);
  if (route.localPreference !== undefined) parts.push(`local-preference ${route.localPreference}`);
  const communities = (route.communities ?? []).map(([asn, value]) => `${asn}:${value}`);
  if (communities.length > 0) parts.push(`community [${communities.join(' ')}]`);
  const prepend = route.prepend ?? 0;
  if (prepend > 0) parts.push(`as-path [${Array.from({ length: prepend + 1 }, () => localAsn).join(' ')}]`);
  return parts.join(' ');
}
