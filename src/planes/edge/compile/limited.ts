import { withoutUndefined } from '../../../model/values.ts';
import type { EdgeProblem } from '../reasons.ts';
import type { Path } from '../table.ts';
import {
  guardsOf,
  isRegularExpression,
  type LostClaim,
  lostOf,
  lowerCase,
  moreOf,
  type WrittenPath,
} from './guards.ts';
import type { IngressReading, RouteClaim } from './ingress.ts';
import { goesFirst, mayMatch, type Steps } from './patterns.ts';

/** What ingress-nginx makes of the hosts of all Ingresses. */
export interface AllHosts {
  /** Every path on them is a regular expression, whatever Ingress it is of. */
  readonly regex: ReadonlySet<string>;
  /** A rule names them, so no alias counts. */
  readonly named: ReadonlySet<string>;
}

/** They are gathered when somebody asks for them first: only Ingresses that limit access do. */
export function allHostsOf(readings: Iterable<IngressReading>): AllHosts {
  let found: AllHosts | undefined;
  const gathered = (): AllHosts => (found ??= gather(readings));
  return {
    get regex() {
      return gathered().regex;
    },
    get named() {
      return gathered().named;
    },
  };
}

function gather(readings: Iterable<IngressReading>): AllHosts {
  const [regex, named] = [new Set<string>(), new Set<string>()];
  for (const { regexHosts, hosts } of readings) {
    for (const host of regexHosts) regex.add(host);
    for (const host of hosts) named.add(host);
  }
  return { regex, named };
}

/** A path with limits on a host where ingress-nginx might serve paths of other Ingresses by it. */
export interface Shadow {
  readonly host: string;
  readonly written: WrittenPath;
  /** What is refused or limited because of it. */
  readonly paths: readonly string[];
}

/** An Ingress that limits access: what of it can be served as it is written, and what is refused in place of the rest. */
interface Limited {
  readonly reading: IngressReading;
  readonly lost: readonly LostClaim[];
  readonly shadows: readonly Shadow[];
  readonly problems: readonly EdgeProblem[];
}

/** Takes from an Ingress that limits access the paths that are regular expressions, and gives the others all that they stand for. */
export function limitedReading(asked: IngressReading, { regex, named }: AllHosts): Limited {
  const object = `Ingress/${asked.key}`;
  const routes: RouteClaim[] = [];
  const lost: LostClaim[] = [];
  const shadows: Shadow[] = [];
  const problems: EdgeProblem[] = [];
  for (const claim of asked.lost) {
    const { host, written } = claim;
    const guards = guardsOf(claim, regex.has(host));
    lost.push(...guards);
    if (written !== undefined && (regex.has(host) || isRegularExpression(written, false)))
      shadows.push({ host, written, paths: pathsOf(guards) });
  }
  // An alias is not served here, and its requests must not fall to a wildcard that has no limits.
  for (const host of asked.annotations.aliases)
    if (!named.has(host)) lost.push({ host, path: { match: 'prefix', path: '/' }, field: 'metadata.annotations' });
  for (const route of asked.routes) {
    const { host, written, field } = route;
    const onRegexHost = regex.has(host);
    if (written !== undefined && isRegularExpression(written, onRegexHost)) {
      const guards = guardsOf(lostOf(route), onRegexHost);
      lost.push(...guards);
      shadows.push({ host, written, paths: pathsOf(guards) });
      const message = `instead of the regular expression ${host} refuses ${guards.map(textOf).join(', ')}`;
      problems.push({ reason: 'AccessPathRefused', object, path: `${field}.path`, message });
    } else {
      const more = written === undefined ? undefined : moreOf(written, onRegexHost);
      routes.push({ ...route, ...withoutUndefined({ more }) });
      if (written !== undefined && onRegexHost) shadows.push({ host, written, paths: pathsOf([route]) });
    }
  }
  return { reading: { ...asked, routes }, lost, shadows, problems };
}

/** A path of another Ingress. */
export interface Sibling {
  readonly path: string;
  readonly written?: WrittenPath;
  /** Its Ingress is younger than the one with limits. */
  readonly younger: boolean;
}

/**
 * Whether ingress-nginx would serve some request of a path by one with limits, which the data plane would not: the path is as
 * long as what stands for the limits, or longer, but not asked before.
 */
export function isShadowed({ path, written, younger }: Sibling, shadow: Shadow, steps: Steps): boolean {
  const lower = lowerCase(path);
  if (!shadow.paths.some((one) => lower.startsWith(one))) return false;
  if (path === shadow.written.text)
    return younger && !hasTwoForms(shadow.written) && (written === undefined || !hasTwoForms(written));
  return patternsOf(shadow.written).some((pattern) => !goesFirst(path, pattern) && mayMatch(pattern, path, steps));
}

/** What ingress-nginx makes of a path on a host with a regular expression. */
function patternsOf(written: WrittenPath): readonly string[] {
  return hasTwoForms(written) ? [written.text, `${written.text}/`] : [written.text];
}

/** Of a Prefix that is none by itself ingress-nginx makes one with a slash at its end, and one that is exact. */
function hasTwoForms({ text, type, regex }: WrittenPath): boolean {
  return type === 'Prefix' && !regex && !text.endsWith('/');
}

function pathsOf(claims: readonly { readonly path?: Pick<Path, 'path'> }[]): readonly string[] {
  return claims.flatMap(({ path }) => (path === undefined ? [] : [lowerCase(path.path)]));
}

function textOf({ path }: LostClaim): string {
  if (path?.match === 'exact') return `${path.path} itself`;
  return path?.match === 'anyCaseText' ? `all that begins with ${path.path}` : `${path?.path} and what is below it`;
}

/** A host on which routes of an Ingress are refused because of another Ingress. */
export interface ClosedHost {
  readonly owner: string;
  readonly host: string;
  readonly by: string;
}

/** The problem of each Ingress with routes that are refused because of another one. */
export function closedHostProblems(closed: readonly ClosedHost[]): readonly EdgeProblem[] {
  return closed.map(({ owner, host, by }) => {
    const message = `routes of ${host === '' ? 'any host' : host} are refused because of Ingress ${by}`;
    return { reason: 'AccessSiblingRefused', object: `Ingress/${owner}`, path: 'spec.rules', message };
  });
}
