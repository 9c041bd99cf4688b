import { stripVTControlCharacters } from 'node:util';
import { printable } from '../../src/model/printable.ts';

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
  readonly sites: readonly SiteView[];
  readonly countries: readonly CountryView[];
  readonly totals: {
    readonly requestsPerSecond: number;
    readonly requests: number;
    readonly failed: number;
    readonly retried: number;
  };
  readonly nginxReloads: number;
  readonly keys: readonly { readonly key: string; readonly label: string }[];
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
 * The whole frame as lines, none wider than the terminal and no more than it has rows. What tells the story and the keys come
 * first, so that a small terminal loses the least.
 */
export function renderScreen(given: DemoView, { columns, rows, colour }: ScreenSize): readonly string[] {
  const view = printableTexts(given);
  const lines = [
    `${bold('TIDELINE')} the platform in a box ${dim(clock(view.elapsedMs))}   ${dim(view.caveat)}`,
    ...wrap(view.narration, columns - 2).map((line) => ` ${line}`),
    ...wrap(view.notice, columns - 2).map((line) => ` ${yellow(line)}`),
    ...renderKeys(view, columns),
    renderSteps(view),
    renderTotals(view),
    ...flow(view.faults.map(renderFault), columns),
    '',
    ...renderSites(view.sites),
    '',
    ...renderCountries(view.countries, columns),
  ];
  // Empty lines only help the eye; they are the first to go.
  const fitting = lines.length > rows ? lines.filter((line) => line !== '') : lines;
  const clipped = fitting.slice(0, rows).map((line) => clip(line, columns));
  return colour ? clipped : clipped.map(stripVTControlCharacters);
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

function renderSites(sites: readonly SiteView[]): readonly string[] {
  const widest = Math.max(0, ...sites.map(({ name }) => name.length));
  return sites.map((site) => {
    const name = site.name.padEnd(widest);
    const servers = site.servers.map(({ name: server, state }) => {
      const short = server.startsWith(`${site.name}-`) ? server.slice(site.name.length + 1) : server;
      if (state === 'up') return green(short);
      return state === 'down' ? red(`${short} down`) : yellow(`${short} drained`);
    });
    const sessions = `BGP ${site.sessionsUp}/${site.sessions}`;
    // A site of whose servers none works and whom no router hears is dead, whatever its router still holds.
    if (site.sessionsUp === 0 && site.servers.every(({ state }) => state === 'down'))
      return ` ${red(`${name}  DEAD: no server, ${sessions}`)}`;
    const bgp = site.sessionsUp === site.sessions ? sessions : red(sessions);
    const routes = site.routes === undefined ? ' '.repeat(10) : `${String(site.routes).padStart(3)} routes`;
    return ` ${name}  ${bgp}  ${routes}  ${servers.join('  ')}`;
  });
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

function renderFault({ name, target, forMs }: DemoView['faults'][number]) {
  const text = `${name} ${target} for ${clock(forMs)}`;
  return { length: text.length, text: red(text) };
}

function renderKeys(view: DemoView, width: number): readonly string[] {
  const cells = view.keys.map(({ key, label }) => ({
    length: key.length + label.length + 3,
    text: `[${key}] ${label}`,
  }));
  return flow(cells, width).map(dim);
}

/** Puts as many cells into each line as fit; `length` counts a cell's visible characters. */
function flow(cells: readonly { readonly length: number; readonly text: string }[], width: number): readonly string[] {
  const lines: string[] = [];
  let room = 0;
  for (const { length, text } of cells) {
    if (length > room) {
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

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Cuts to `width` visible characters; escape sequences have none. */
function clip(line: string, width: number): string {
  let visible = 0;
  let out = '';
  // oxlint-disable-next-line no-control-regex -- the pattern looks for the escape character
  for (const part of line.match(/\u001b\[[0-9;]*m|[^\u001b]/gu) ?? []) {
    if (!part.startsWith('\u001b')) {
      if (visible === width) continue;
      visible += 1;
    }
    out += part;
  }
  return out;
}
