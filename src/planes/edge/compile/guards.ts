import { withoutUndefined } from '../../../model/values.ts';
import type { Path, RouteSettings } from '../table.ts';
import { normalPrefix, pathFault } from './names.ts';
import { type Beginning, beginningsOf, isPattern } from './patterns.ts';

/** A path as its Ingress has it. */
export interface WrittenPath {
  readonly text: string;
  readonly type: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  /** Its own Ingress says that it is a regular expression. */
  readonly regex: boolean;
}

/** Something that an Ingress asks for and that is not served. */
export interface LostClaim {
  readonly host: string;
  /** Absent: the default backend of the host. */
  readonly path?: TablePath;
  readonly field: string;
  /** Absent where the path is what is left of one that cannot be taken. */
  readonly written?: WrittenPath;
  /** The path holds what was asked for, and more. */
  readonly wider?: true;
}

type TablePath = Pick<Path, 'match' | 'path'>;
type Guard = Required<Pick<LostClaim, 'path'>> & Pick<LostClaim, 'wider'>;

/** What a guard does: it answers for a path that an Ingress with limits cannot serve, so that no broader route does. */
export const guardSettings: RouteSettings = { refused: 'AccessPathRefused' };
/** What a route does whose requests ingress-nginx would serve by a path with limits. */
export const closedSettings: RouteSettings = { refused: 'AccessSiblingRefused' };

const mostGuardLength = 1024;

/** Whether a path is a regular expression in ingress-nginx, as far as its author means it. */
export function isRegularExpression({ text, type }: WrittenPath, onRegexHost: boolean): boolean {
  return isPattern(text) && (onRegexHost || type === 'ImplementationSpecific');
}

/**
 * What a path is in ingress-nginx beside what Ingress v1 makes of it: on a host with a regular expression every path is one, so
 * it stands for all that begins with it in whatever case; on others an ImplementationSpecific path stands for all that begins
 * with it.
 */
export function moreOf({ text, type }: WrittenPath, onRegexHost: boolean): TablePath | undefined {
  if (text === '/' || (!onRegexHost && (type !== 'ImplementationSpecific' || text.endsWith('/')))) return undefined;
  return onRegexHost ? anyCase('anyCaseText', text) : { match: 'text', path: text };
}

/** What to refuse for something that is not served. */
export function guardsOf(claim: LostClaim, onRegexHost: boolean): readonly LostClaim[] {
  const { host, field, written } = claim;
  if (written === undefined) return [claim];
  if (isRegularExpression(written, onRegexHost))
    return guardsOfPattern(written.text).map((guard) => ({ host, field, ...guard }));
  const more = moreOf(written, onRegexHost);
  return more === undefined ? [claim] : [claim, { host, field, path: more }];
}

/** What to refuse for a regular expression: all that begins as its matches do. */
export function guardsOfPattern(pattern: string): readonly Guard[] {
  const guards = new Map<string, Guard>();
  for (const beginning of beginningsOf(pattern)) {
    const guard = guardOf(beginning);
    guards.set(`${guard.path.match} ${guard.path.path}`, guard);
  }
  return [...guards.values()];
}

/** What to refuse for a path that cannot be taken: its elements before the first one that is at fault. */
export function guardOfPath(path: unknown): Guard {
  const absolute = typeof path === 'string' && path.startsWith('/');
  const elements = absolute && path !== '/' ? normalPrefix(path).slice(1).split('/') : [];
  let kept = '';
  let wider = !absolute;
  for (const element of elements) {
    const longer = `${kept}/${element}`;
    const good = element !== '' && !isPattern(element) && pathFault(longer) === undefined;
    wider = !good || longer.length > mostGuardLength;
    if (wider) break;
    kept = longer;
  }
  return { path: { match: 'prefix', path: kept === '' ? '/' : kept }, ...(wider ? { wider: true as const } : {}) };
}

function guardOf({ text, ends }: Beginning): Guard {
  if (text === '/' && ends) return { path: { match: 'exact', path: '/' } };
  // The next character decides whether the text ends in a segment that is no normal form of a path.
  if (text.length < 2 || text.length > mostGuardLength || pathFault(`${text}x`) !== undefined) {
    const { path } = guardOfPath(text);
    return { path: path.path === '/' ? path : anyCase('anyCasePrefix', path.path), wider: true };
  }
  if (ends || text.endsWith('/')) return { path: anyCase('anyCasePrefix', normalPrefix(text)) };
  return { path: anyCase('anyCaseText', text) };
}

/** The data plane regards no case of ASCII, and of nothing else, as PCRE does in ingress-nginx. */
function anyCase(match: 'anyCasePrefix' | 'anyCaseText', path: string): TablePath {
  return { match, path: lowerCase(path) };
}

export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** A claim that is not served. */
export function lostOf({ host, path, field, written }: LostClaim): LostClaim {
  return { host, field, ...withoutUndefined({ path, written }) };
}
