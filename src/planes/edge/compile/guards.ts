import type { RouteSettings } from '../table.ts';
import { normalPrefix, pathFault } from './names.ts';

/** Something that an Ingress asks for and that is not served. */
export interface LostClaim {
  readonly host: string;
  /** Absent: the default backend of the host. */
  readonly path?: { readonly match: 'exact' | 'prefix'; readonly path: string };
  readonly field: string;
  /** The path holds what was asked for, and more. */
  readonly wider?: true;
  /** Some of what was asked for lies outside the path, because a text that every match begins with ends inside an element. */
  readonly leaks?: true;
}

type Guard = Pick<LostClaim, 'path' | 'wider' | 'leaks'>;

/** What a guard does: it answers for a path that an Ingress with limits cannot serve, so that no broader route does. */
export const guardSettings: RouteSettings = { refused: 'AccessPathRefused' };
/** What a route does whose requests may be those of a guard that cannot be told from others. */
export const closedSettings: RouteSettings = { refused: 'AccessSiblingRefused' };

const mostGuardLength = 1024;
/** A dot is none: alone it stands for itself in names of files. With a quantifier it is found by that. */
const metacharacter = /[\\^$|()[\]{}*+?]/;

/** Whether ingress-nginx, asked for regular expressions, would take more from the path than its text. */
export function isPattern(path: string): boolean {
  return metacharacter.test(path);
}

/** What to refuse for a regular expression: the text that every match begins with. */
export function guardOfPattern(pattern: string): Guard {
  const [literal, rest] = hasAlternatives(pattern) ? ['/', ''] : literalOf(pattern);
  const whole = literal.endsWith('/') || rest === '' || beginsElement(rest);
  return { ...guardOfPath(literal), wider: true, ...(whole ? {} : { leaks: true as const }) };
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

/** A claim that is not served, as it is refused: what it asks for, and what it would be in ingress-nginx. */
export function lostOf({ host, path, field, elsewhere }: LostRoute): LostClaim {
  if (path !== undefined && elsewhere === 'pattern') return { host, field, ...guardOfPattern(path.path) };
  return { host, field, ...(path === undefined ? {} : { path }) };
}

interface LostRoute extends Pick<LostClaim, 'host' | 'path' | 'field'> {
  readonly elsewhere?: 'pattern' | 'text';
}

/** The text before the first character that does not stand for itself once, and the rest. */
function literalOf(pattern: string): readonly [literal: string, rest: string] {
  let literal = '';
  for (let at = 0; at < pattern.length; ) {
    const escaped = /^\\[^A-Za-z0-9]/.test(pattern.slice(at, at + 2));
    const next = at + (escaped ? 2 : 1);
    const optional = /[?*{]/.test(pattern.charAt(next));
    const repeatedDot = pattern.charAt(at) === '.' && pattern.charAt(next) === '+';
    if ((!escaped && metacharacter.test(pattern.charAt(at))) || optional || repeatedDot)
      return [literal, pattern.slice(at)];
    literal += pattern.charAt(next - 1);
    at = next;
  }
  return [literal, ''];
}

/** Whether what follows a text can only end it or begin another element, as far as its author means it: `(/|$)`, `/?(.*)`. */
function beginsElement(rest: string): boolean {
  const group = /^\((?:\?:)?([^()]*)/.exec(rest)?.[1];
  return (group?.split('|') ?? [rest]).every((option) => option === '' || /^[/$]/.test(option));
}

/** Whether a pattern has alternatives outside of groups: its matches have no beginning in common. */
function hasAlternatives(pattern: string): boolean {
  const bare = pattern.replace(/\\.|\[[^\]]*\]/g, '');
  let depth = 0;
  for (const [character] of bare.matchAll(/[()|]/g)) {
    if (character === '|' && depth <= 0) return true;
    if (character !== '|') depth += character === '(' ? 1 : -1;
  }
  return false;
}
