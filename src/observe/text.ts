import { type Finding, findingsOf, type Severity, severities } from './findings.ts';
import { type AgentPart, isCarried, type NetworkPart, type Snapshot } from './snapshot.ts';

export interface ScreenOptions {
  /** The lines are cut to as many characters; absent for lines of any length. */
  readonly columns?: number;
  /** The lines after these are left out, and counted; absent for all. */
  readonly rows?: number;
}

/** The snapshot for people: the one sentence that matters first, then what else is wrong, then every site and VIP on a line. */
export function renderStatus(snapshot: Snapshot, { columns, rows }: ScreenOptions = {}): readonly string[] {
  const findings = findingsOf(snapshot);
  const head = headline(snapshot, findings);
  const picture = ['', ...siteLines(snapshot), '', ...vipLines(snapshot)];
  const room = rows === undefined ? Infinity : Math.max(1, rows - picture.length - 1);
  const rest = findings
    .slice(worst(findings) === undefined ? 0 : 1)
    .map((finding) => `  ${finding.severity.padEnd(8)} ${sentence(finding)}`);
  const shown =
    rest.length <= room
      ? rest
      : [...rest.slice(0, room - 1), `  ... and ${rest.length - room + 1} more (-o json has all)`];
  const lines = [head, ...shown, ...picture];
  return columns === undefined
    ? lines
    : lines.map((line) => (line.length <= columns ? line : `${line.slice(0, columns - 1)}…`));
}

function worst(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ severity }) => severity !== 'note');
}

/** The sentence that matters first: the worst finding, and how many others of which kind there are. */
export function headline({ agents, takenAtMs }: Snapshot, findings: readonly Finding[]): string {
  const at = clockTime(takenAtMs);
  const first = worst(findings);
  if (first === undefined)
    return `${at}  all well, as far as agents and ExaBGP know: ${agents.length} agents answer, every VIP is announced, every session is up; DNS is not looked at`;
  const others = severities.flatMap((severity) => {
    const number = findings.filter((finding) => finding !== first && finding.severity === severity).length;
    return number === 0 || severity === 'note' ? [] : [`${number} ${plural(severity, number)}`];
  });
  return `${at}  ${first.severity.toUpperCase()}: ${sentence(first)}${others.length === 0 ? '' : `; and ${others.join(', ')}`}`;
}

function plural(severity: Severity, number: number): string {
  if (severity === 'unknown') return 'unknown';
  return number === 1 ? severity : `${severity}s`;
}

function sentence({ subject, what, sinceMs }: Finding): string {
  return `${subject} ${what}${sinceMs === undefined ? '' : `, since ${clockTime(sinceMs)}`}`;
}

/** One line for each site: how many of its agents answer, its sessions, its routes, and how old the oldest answer is. */
function siteLines({ agents }: Snapshot): readonly string[] {
  const sites = [...Map.groupBy(agents, ({ target }) => target.site ?? '(no site)')];
  const width = Math.max(4, ...sites.map(([site]) => site.length));
  return [
    `${'site'.padEnd(width)}  blades  workers  BGP     pod routes  answered within`,
    ...sites.map(([site, parts]) => {
      const blades = parts.filter(({ target }) => target.plane === 'edge');
      const workers = parts.filter(({ target }) => target.plane === 'network');
      const sessions = parts.flatMap((part) =>
        'edge' in part ? part.edge.bgp.neighbors : 'network' in part ? part.network.neighbors : [],
      );
      const routes = parts.reduce((sum, part) => sum + ('network' in part ? podRoutes(part.network) : 0), 0);
      const ages = parts.flatMap((part) => ('problem' in part ? [] : [part.ageMs]));
      const slowest = ages.length === 0 ? '-' : `${Math.max(1, Math.round(Math.max(...ages)))} ms`;
      const cells = [
        ratio(blades).padEnd(6),
        ratio(workers).padEnd(7),
        upOf(sessions).padEnd(6),
        String(routes).padEnd(10),
        slowest,
      ];
      return `${site.padEnd(width)}  ${cells.join('  ')}`;
    }),
  ];
}

/** How many routes of pods a worker announces to anybody. */
function podRoutes({ announced, neighbors }: NetworkPart): number {
  return announced.filter(({ class: of, prefix }) => of === 'pods' && isCarried(neighbors, prefix)).length;
}

/** How many answer of how many should. */
function ratio(parts: readonly AgentPart[]): string {
  return parts.length === 0 ? '-' : `${parts.filter((part) => !('problem' in part)).length}/${parts.length}`;
}

function upOf(sessions: readonly { readonly up: boolean }[]): string {
  return sessions.length === 0 ? '-' : `${sessions.filter(({ up }) => up).length}/${sessions.length}`;
}

function vipLines({ pools, agents }: Snapshot): readonly string[] {
  const rows = pools.flatMap(({ name, vips }) => vips.map((vip) => ({ name, vip })));
  const width = Math.max(3, ...rows.map(({ vip }) => vip.length));
  return [
    `${'VIP'.padEnd(width)}  announced by`,
    ...rows.map(({ name, vip }) => {
      const blades = agents.filter(({ target }) => target.pool === name);
      const holders = blades.flatMap((part) =>
        'edge' in part && part.edge.vips.some((one) => one.address === vip && one.announced)
          ? [part.target.server]
          : [],
      );
      const silent = blades.filter((part) => 'problem' in part).length;
      const unknown = silent === 0 ? '' : ` (${silent} of ${blades.length} blades do not answer)`;
      return `${vip.padEnd(width)}  ${holders.join(' ') || (silent === 0 ? 'nobody' : 'unknown')}${unknown}`;
    }),
  ];
}

/** The time of day in UTC, as the logs have it. */
function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)}Z`;
}
