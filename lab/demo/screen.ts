import { stripVTControlCharacters } from 'node:util';
import { printable } from '../../src/model/printable.ts';
import { wrapLine } from '../../src/model/wrap.ts';

/** What the live view shows; made anew for every frame from the lab's status. */
export interface DemoView {
  readonly elapsedMs: number;
  /** States on every frame what is faster than in production or only modelled. */
  readonly caveat: string;
  readonly steps: readonly { readonly name: string; readonly state: 'waiting' | 'running' | 'done' | 'failed' }[];
  /** Tells what happens now, in one or two sentences. */
  readonly narration: string;
  /** The answer to the last key; empty before the first. */
  readonly notice: string;
  /** What is broken on purpose, and for how long. */
  readonly faults: readonly { readonly name: string; readonly target: string; readonly forMs: number }[];
  /** The alerts that fire, what each is about, and since when what it warns of is so. */
  readonly alerts: readonly { readonly name: string; readonly about: string; readonly forMs: number }[];
  readonly sites: readonly SiteView[];
  readonly countries: readonly CountryView[];
  readonly totals: {
    readonly requestsPerSecond: number;
    readonly requests: number;
    readonly failed: number;
    readonly retried: number;
  };
  readonly nginxReloads: number;
  readonly quit: KeyView;
  readonly keys: readonly KeyView[];
}

interface KeyView {
  readonly key: string;
  readonly label: string;
}

export interface SiteView {
  readonly name: string;
  readonly servers: readonly { readonly name: string; readonly state: 'up' | 'down' | 'drained' }[];
  readonly sessionsUp: number;
  readonly sessions: number;
  /** How many routes the rack's router forwards by; absent for sites without such a router. */
  readonly routes?: number;
}

export interface CountryView {
  readonly code: string;
  /** The cluster to which each name server's answer leads now; several when weighted. */
  readonly answers: Readonly<Record<string, string>>;
  /** The clusters (and regions) that served in the last seconds; the one that served most comes first. */
  readonly servedBy: readonly string[];
  readonly requestsPerSecond: number;
  readonly failed: number;
}

/** What a terminal can show. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

const style = (code: string) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const bold = style('1');
const dim = style('2');
const green = style('32');
const red = style('31');
const yellow = style('33');

/**
 * The whole frame as lines, none wider than the terminal and no more than it has rows. What happens and the keys come first, so that a
 * small terminal loses the least; the key that quits is in the first line.
 */
export function renderScreen(given: DemoView, { columns, rows, colour }: ScreenSize): readonly string[] {
  const view = printableTexts(given);
  const keys = renderKeys(view, columns);
  const lines = [
    renderTitle(view),
    ...renderStory(view, columns, rows - 1 - keys.length),
    ...keys,
    renderSteps(view),
    renderTotals(view),
    ...flow([...view.faults.map(renderFault), ...view.alerts.map(renderAlert)], columns),
    '',
    ...renderSites(view.sites, columns),
    '',
    ...renderCountries(view.countries, columns),
  ];
  // Empty lines only help the eye; they are the first to go.
  const fitting = lines.length > rows ? lines.filter((line) => line !== '') : lines;
  const clipped = fitting.slice(0, rows).map((line) => clip(line, columns));
  return colour ? clipped : clipped.map(stripVTControlCharacters);
}

function renderTitle({ elapsedMs, quit, caveat }: DemoView): string {
  return `${bold('TIDELINE')} ${dim(clock(elapsedMs))}  ${bold(`[${quit.key}]`)} ${quit.label}  ${dim(caveat)}`;
}

/** What happens now, and the answer to the last key, in at most `room` lines, but in one at least. */
function renderStory({ narration, notice }: DemoView, columns: number, room: number): readonly string[] {
  const lines = (text: string): readonly string[] => (text === '' ? [] : wrapLine(` ${text}`, columns));
  const story = [...lines(narration), ...lines(notice).map(yellow)];
  if (story.length <= Math.max(1, room)) return story;
  const shown = story.slice(0, Math.max(1, room));
  return [...shown.slice(0, -1), `${clip(shown.at(-1) ?? '', columns - 2)} …`];
}

/** The same value with every text in it made printable: on a frame only our own escape sequences may move the cursor. */
function printableTexts<T>(value: T): T {
  const clean = (part: unknown): unknown => {
    if (typeof part === 'string') return printable(part.replaceAll(/\s+/g, ' '));
    if (Array.isArray(part)) return part.map(clean);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [printable(name), clean(inner)]));
  };
  // The shape stays, which the compiler cannot see.
  return clean(value) as T;
}

/** A line for each data centre; regions, which are one machine each, share lines. */
function renderSites(sites: readonly SiteView[], columns: number): readonly string[] {
  const racks = sites.filter(({ routes }) => routes !== undefined);
  const widest = Math.max(0, ...racks.map(({ name }) => name.length));
  const regions = sites.filter(({ routes }) => routes === undefined);
  return [...racks.map((site) => renderRack(site, widest)), ...flow(regions.map(renderRegion), columns)];
}

/** A site none of whose servers works and whom no router hears is dead, whatever its router still holds. */
function isDead({ sessionsUp, servers }: SiteView): boolean {
  return sessionsUp === 0 && servers.every(({ state }) => state === 'down');
}

function renderRack(site: SiteView, widest: number): string {
  const name = site.name.padEnd(widest);
  const sessions = `BGP ${site.sessionsUp}/${site.sessions}`;
  if (isDead(site)) return ` ${red(`${name}  DEAD: no server, ${sessions}`)}`;
  const servers = site.servers.map(({ name: server, state }) => {
    const short = server.startsWith(`${site.name}-`) ? server.slice(site.name.length + 1) : server;
    if (state === 'up') return green(short);
    return state === 'down' ? red(`${short} down`) : yellow(`${short} drained`);
  });
  const bgp = site.sessionsUp === site.sessions ? sessions : red(sessions);
  return ` ${name}  ${bgp}  ${String(site.routes).padStart(3)} routes  ${servers.join('  ')}`;
}

function renderRegion(site: SiteView): Cell {
  const sessions = `BGP ${site.sessionsUp}/${site.sessions}`;
  const text = isDead(site) ? `${site.name} DEAD, ${sessions}` : `${site.name} ${sessions}`;
  return { length: text.length, text: site.sessionsUp === site.sessions && !isDead(site) ? green(text) : red(text) };
}

const rowLabel = 11;
const countryColumn = 11;

/** A column for each country, in as many blocks as the width needs. */
function renderCountries(countries: readonly CountryView[], columns: number): readonly string[] {
  const inBlock = Math.max(1, Math.floor((columns - rowLabel) / countryColumn));
  const blocks = Array.from({ length: Math.ceil(countries.length / inBlock) }, (_, index) =>
    countries.slice(index * inBlock, (index + 1) * inBlock),
  );
  return blocks.flatMap(renderCountryBlock);
}

type Paint = (text: string, country: CountryView) => string;

function renderCountryBlock(countries: readonly CountryView[]): readonly string[] {
  const row = (label: string, cell: (country: CountryView) => string, paint: Paint = (text) => text) =>
    ` ${label.padEnd(rowLabel - 1)}${countries
      .map((country) => {
        const text = cell(country);
        const cut = text.length < countryColumn ? text : `${text.slice(0, countryColumn - 2)}…`;
        return paint(cut.padEnd(countryColumn), country);
      })
      .join('')
      .trimEnd()}`;
  const servers = [...new Set(countries.flatMap(({ answers: given }) => Object.keys(given)))];
  const agree = countries.every(({ answers: given }) => new Set(servers.map((server) => given[server])).size === 1);
  // Both name servers answer alike as a rule; a row for each is only worth its place while they differ.
  const answers: readonly (readonly [string, string])[] = agree
    ? [['DNS', servers[0] ?? '']]
    : servers.map((server) => [server, server]);
  return [
    dim(row('users of', ({ code, requestsPerSecond }) => `${code} ${requestsPerSecond.toFixed(1)}/s`)),
    ...answers.map(([label, server]) => row(label, ({ answers: given }) => given[server] ?? '-')),
    row(
      'served by',
      ({ servedBy }) => servedBy.join(' ') || 'nobody',
      (text, { servedBy }) => (servedBy.length === 0 ? red(text) : text),
    ),
    ...(countries.some(({ failed }) => failed > 0)
      ? [row('failed', ({ failed }) => (failed === 0 ? '' : String(failed)), red)]
      : []),
  ];
}

function renderTotals(view: DemoView): string {
  const { requestsPerSecond, requests, failed, retried } = view.totals;
  const lost = failed === 0 ? green('0 failed') : red(`${failed} failed`);
  return ` ${bold('all')}   ${requestsPerSecond.toFixed(0)} req/s, ${requests} requests, ${lost}, ${retried} retried, nginx reloads ${view.nginxReloads}`;
}

/** One mark for each step, and the names of the one that runs and of those that failed. */
function renderSteps({ steps }: DemoView): string {
  const marks = { waiting: dim('·'), running: yellow('▶'), done: green('✓'), failed: red('✗') };
  const at = steps.findIndex(({ state }) => state === 'running');
  const running = at === -1 ? '' : `  ${at + 1} of ${steps.length}: ${bold(steps[at]?.name ?? '')}`;
  const failed = steps.filter(({ state }) => state === 'failed').map(({ name }) => name);
  const lost = failed.length === 0 ? '' : `  ${red(`failed: ${failed.join(', ')}`)}`;
  return ` ${steps.map(({ state }) => marks[state]).join('')}${running}${lost}`;
}

function renderFault({ name, target, forMs }: DemoView['faults'][number]): Cell {
  const text = `${name} ${target} for ${clock(forMs)}`;
  return { length: text.length, text: red(text) };
}

function renderAlert({ name, about, forMs }: DemoView['alerts'][number]): Cell {
  const text = `ALERT ${name} ${about} for ${clock(forMs)}`;
  return { length: text.length, text: yellow(text) };
}

function renderKeys(view: DemoView, width: number): readonly string[] {
  const cells = view.keys.map(({ key, label }) => ({
    length: key.length + label.length + 3,
    text: `[${key}] ${label}`,
  }));
  return flow(cells, width).map(dim);
}

/** A piece of a line; `length` counts its visible characters. */
interface Cell {
  readonly length: number;
  readonly text: string;
}

/** Puts as many cells into each line as fit. */
function flow(cells: readonly Cell[], width: number): readonly string[] {
  const lines: string[] = [];
  let room = 0;
  for (const { length, text } of cells) {
    if (lines.length === 0 || length > room) {
      lines.push(` ${text}`);
      room = width - 1 - length - 2;
    } else {
      lines.push(`${lines.pop() ?? ''}  ${text}`);
      room -= length + 2;
    }
  }
  return lines;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Cuts to `width` visible characters; escape sequences have none. */
function clip(line: string, width: number): string {
  let visible = 0;
  let out = '';
  // oxlint-disable-next-line no-control-regex -- the pattern looks for the escape character
  for (const part of line.match(/\u001b\[[0-9;]*m|[^\u001b]/gu) ?? []) {
    if (!part.startsWith('\u001b')) {
      if (visible >= width) continue;
      visible += 1;
    }
    out += part;
  }
  return out;
}
