import { wrapLine } from '../model/wrap.ts';
import { frozenLines } from './doubts.ts';
import { type Finding, type Severity, severities } from './finding.ts';
import { findingsOf } from './findings.ts';
import { type FirstSeen, withFirstSeen } from './first-seen.ts';
import { fromOutside } from './from-outside.ts';
import { type AgentPart, isCarried, type NetworkPart, type Snapshot } from './snapshot.ts';
import { steeringLines } from './steering.ts';

export interface ScreenOptions {
  /** The width in which lines are wrapped; absent for lines of any length. */
  readonly columns?: number;
  /** Findings that have no room in so many lines are left out, and counted; absent for all. */
  readonly rows?: number;
  /** When each finding was seen first, where the screen is drawn again and again. */
  readonly seen?: FirstSeen;
}

/** The first sentence is read at a glance, and is a line of a chat or a page: what is longer stands in full in the list below. */
const headlineLength = 160;

/** The snapshot for people: the one sentence that matters first, then what else is wrong, then every site and VIP on a line. */
export function renderStatus(snapshot: Snapshot, { columns, rows, seen }: ScreenOptions = {}): readonly string[] {
  const wrapped = (line: string): readonly string[] => wrapLine(line, columns);
  const findings = withFirstSeen(findingsOf(snapshot), seen);
  const { text, isCut } = headline(snapshot, findings);
  const hint = fromOutside(snapshot, 'tideline status FOLDER');
  const head = [...frozenLines(snapshot), text, ...hint].flatMap(wrapped);
  const dns = steeringLines(snapshot.steering ?? []);
  const picture = ['', ...siteLines(snapshot), '', ...vipLines(snapshot), ...dns].flatMap(wrapped);
  const rest = findings
    .slice(worst(findings) === undefined || isCut ? 0 : 1)
    .map((finding) => wrapped(`  ${finding.severity.padEnd(8)} ${sentence(finding)}`));
  const room = rows === undefined ? Infinity : rows - head.length - picture.length;
  return [...head, ...fitting(rest, room), ...picture].slice(0, rows);
}

/** The findings that fit into so many lines, and how many do not. */
function fitting(findings: readonly (readonly string[])[], room: number): readonly string[] {
  if (findings.flat().length <= room) return findings.flat();
  const shown: string[] = [];
  let count = 0;
  for (const lines of findings) {
    if (shown.length + lines.length > room - 1) break;
    shown.push(...lines);
    count += 1;
  }
  return [...shown, `  ... and ${findings.length - count} more (-o json has all)`];
}

function worst(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ severity }) => severity !== 'note');
}

/** The sentence that matters first: the worst finding, and how many others of which kind there are. */
function headline(
  { agents, drains, takenAtMs }: Snapshot,
  findings: readonly Finding[],
): { readonly text: string; readonly isCut: boolean } {
  const at = clockTime(takenAtMs);
  const first = worst(findings);
  if (first === undefined) {
    const dns = drains.some(({ dns }) => dns !== undefined)
      ? 'of DNS only what is drained was asked'
      : 'DNS is not looked at';
    const covers = `${agents.length} agents answer, every VIP is announced, every session is up; ${dns}`;
    return { text: `${at}  all well, as far as agents and ExaBGP know: ${covers}`, isCut: false };
  }
  const others = severities.flatMap((severity) => {
    const number = findings.filter((finding) => finding !== first && finding.severity === severity).length;
    return number === 0 || severity === 'note' ? [] : [`${number} ${plural(severity, number)}`];
  });
  const before = `${at}  ${first.severity.toUpperCase()}: ${first.subject} `;
  const after = `${since(first)}${others.length === 0 ? '' : `; and ${others.join(', ')}`}`;
  const what = shortened(first.what, headlineLength - before.length - after.length);
  return { text: `${before}${what}${after}`, isCut: what !== first.what };
}

/** The text, or what of its words has room, with a mark that there is more. The named reason at its end stays. */
function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const reason = / \([A-Z][A-Za-z]+\)$/.exec(text)?.[0] ?? '';
  const cut = text.slice(0, Math.max(room - reason.length - 2, 40));
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), 30))} …${reason}`;
}

function plural(severity: Severity, number: number): string {
  if (severity === 'unknown') return 'unknown';
  return number === 1 ? severity : `${severity}s`;
}

function sentence(finding: Finding): string {
  return `${finding.subject} ${finding.what}${since(finding)}`;
}

function since({ sinceMs, seenMs }: Finding): string {
  if (sinceMs !== undefined) return `, since ${clockTime(sinceMs)}`;
  return seenMs === undefined ? '' : `, first seen ${clockTime(seenMs)}`;
}

/** A row of the table of sites. */
interface SiteRow {
  readonly site: string;
  readonly parts: readonly AgentPart[];
  /** True where the site has workers that are not known, so that more may be there than is counted. */
  readonly hidden: boolean;
}

/**
 * One line for each site: how many of its blades are fit, how many workers answer, sessions, routes, and how old the oldest answer is. What
 * was not heard is never counted as none: `?` stands for it, and `+?` behind a number that may be larger.
 */
function siteLines({ agents, clusters }: Snapshot): readonly string[] {
  const rows = siteRows(agents, clusters);
  const width = Math.max(4, ...rows.map(({ site }) => site.length));
  const lines = rows.map((row) => `${row.site.padEnd(width)}  ${cellsOf(row).join('  ')}`);
  const legend = lines.some((line) => line.includes('?'))
    ? ['? not known, +? perhaps more: an agent or a cluster does not answer']
    : [];
  return [`${'site'.padEnd(width)}  blades fit  workers  BGP     pod routes  answered within`, ...lines, ...legend];
}

function siteRows(agents: Snapshot['agents'], clusters: Snapshot['clusters']): readonly SiteRow[] {
  const hidden = new Set(
    clusters.flatMap(({ sites = [], problem, unplaced = [] }) =>
      problem === undefined && unplaced.length === 0 ? [] : sites,
    ),
  );
  const bySite = Map.groupBy(agents, ({ target }) => target.site ?? '(no site)');
  return [...new Set([...bySite.keys(), ...hidden])].map((site) => ({
    site,
    parts: bySite.get(site) ?? [],
    hidden: hidden.has(site),
  }));
}

function cellsOf({ parts, hidden }: SiteRow): readonly string[] {
  const blades = parts.filter(({ target }) => target.plane === 'edge');
  const workers = parts.filter(({ target }) => target.plane === 'network');
  const answered = parts.flatMap((part) => ('problem' in part ? [] : [part]));
  const sessions = answered.flatMap((part) => ('edge' in part ? part.edge.bgp.neighbors : part.network.neighbors));
  const networks = workers.flatMap((part) => ('network' in part ? [part.network] : []));
  const routes = networks.reduce((sum, network) => sum + podRoutes(network), 0);
  const ages = answered.map(({ ageMs }) => ageMs);
  const unheard = hidden || answered.length < parts.length || answered.some(isWithoutExabgp);
  return [
    counted(blades.filter(isFit).length, blades, blades.some(isSilent)).padEnd(10),
    counted(networks.length, workers, hidden).padEnd(7),
    counted(sessions.filter(({ up }) => up).length, sessions, unheard).padEnd(6),
    (workers.length === 0 && !hidden
      ? '-'
      : networks.length === 0
        ? '?'
        : `${routes}${hidden || workers.some((part) => isSilent(part) || isWithoutExabgp(part)) ? '+?' : ''}`
    ).padEnd(10),
    ages.length === 0 ? '-' : `${Math.max(1, Math.round(Math.max(...ages)))} ms`,
  ];
}

function isSilent(part: AgentPart): boolean {
  return 'problem' in part;
}

/** Such an agent knows of no session and no route what has become of it. */
function isWithoutExabgp(part: AgentPart): boolean {
  if ('problem' in part) return false;
  const { relay } = 'edge' in part ? part.edge.bgp : part.network;
  return relay !== 'synced' && relay !== 'syncing';
}

/** Whether a blade serves every VIP of its pool, and is to do so. */
function isFit(part: AgentPart): boolean {
  return 'edge' in part && !part.edge.draining && part.edge.vips.length > 0 && part.edge.vips.every(({ fit }) => fit);
}

/** How many of all, `-` where there are none; `more` when not all could be heard. */
function counted(number: number, all: readonly unknown[], more: boolean): string {
  if (all.length === 0) return more ? '?' : '-';
  return `${number}/${all.length}${more ? '+?' : ''}`;
}

/** How many routes of pods a worker announces to anybody. */
function podRoutes({ announced, neighbors }: NetworkPart): number {
  return announced.filter(({ class: of, prefix }) => of === 'pods' && isCarried(neighbors, prefix)).length;
}

function vipLines({ pools, agents }: Snapshot): readonly string[] {
  const rows = pools.flatMap(({ name, vips }) => [
    ...vips.map((vip) => ({ name, vip, leaves: '' })),
    ...vipsThatLeave(name, vips, agents).map((vip) => ({ name, vip, leaves: `; pool ${name} has it no longer` })),
  ]);
  const width = Math.max(3, ...rows.map(({ vip }) => vip.length));
  return [
    `${'VIP'.padEnd(width)}  announced by`,
    ...rows.map(({ name, vip, leaves }) => {
      const blades = agents.filter(({ target }) => target.pool === name);
      const holders = blades.flatMap((part) =>
        'edge' in part && part.edge.vips.some((one) => one.address === vip && one.announced)
          ? [part.target.server]
          : [],
      );
      const silent = blades.filter((part) => 'problem' in part).length;
      const unknown = silent === 0 ? '' : ` (${silent} of ${blades.length} blades do not answer)`;
      return `${vip.padEnd(width)}  ${holders.join(' ') || (silent === 0 ? 'nobody' : 'unknown')}${unknown}${leaves}`;
    }),
  ];
}

/** The VIPs that blades of a pool announce although the pool lacks them: an edit took them out, and users may still come there. */
function vipsThatLeave(pool: string, vips: readonly string[], agents: readonly AgentPart[]): readonly string[] {
  const announced = agents.flatMap((part) =>
    'edge' in part && part.target.pool === pool ? part.edge.vips.filter((vip) => vip.announced) : [],
  );
  return [...new Set(announced.map(({ address }) => address))].filter((address) => !vips.includes(address)).toSorted();
}

/** The time of day in UTC, as the logs have it. */
function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)}Z`;
}
