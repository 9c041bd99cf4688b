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

const style = (code: string) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const bold = style('1');
const dim = style('2');
const green = style('32');
const red = style('31');
const yellow = style('33');

/** The whole frame as lines, none wider than `width` visible characters. */
export function renderScreen(given: DemoView, width: number): readonly string[] {
  const view = printableTexts(given);
  const lines = [
    `${bold('TIDELINE')} the platform in a box ${dim(clock(view.elapsedMs))}   ${dim(view.caveat)}`,
    '',
    ...renderSites(view.sites),
    '',
    ...renderCountries(view.countries),
    renderTotals(view),
    '',
    ...renderSteps(view, width),
    '',
    ...wrap(view.narration, width - 2).map((line) => ` ${line}`),
    ...wrap(view.notice, width - 2).map((line) => ` ${yellow(line)}`),
    '',
    ...renderKeys(view, width),
  ];
  return lines.map((line) => clip(line, width));
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
    const servers = site.servers.map(({ name, state }) => {
      const short = name.startsWith(`${site.name}-`) ? name.slice(site.name.length + 1) : name;
      if (state === 'up') return green(short);
      return state === 'down' ? red(`${short} down`) : yellow(`${short} drained`);
    });
    const sessions = `BGP ${site.sessionsUp}/${site.sessions}`;
    const bgp = site.sessionsUp === site.sessions ? sessions : red(sessions);
    const routes = site.routes === undefined ? ' '.repeat(10) : `${String(site.routes).padStart(3)} routes`;
    return ` ${site.name.padEnd(widest)}  ${bgp}  ${routes}  ${servers.join('  ')}`;
  });
}

function renderCountries(countries: readonly CountryView[]): readonly string[] {
  const servers = [...new Set(countries.flatMap(({ answers }) => Object.keys(answers)))];
  const header = ` ${'users'.padEnd(6)}${servers.map((name) => name.padEnd(14)).join('')}${'served by'.padEnd(26)}${'req/s'.padStart(6)}${'failed'.padStart(8)}`;
  const rows = countries.map((country) => {
    const answers = servers.map((name) => (country.answers[name] ?? '-').padEnd(14)).join('');
    const failed = String(country.failed).padStart(8);
    const rate = country.requestsPerSecond.toFixed(1).padStart(6);
    return ` ${country.code.padEnd(6)}${answers}${country.servedBy.join(' ').padEnd(26)}${rate}${country.failed === 0 ? failed : red(failed)}`;
  });
  return [dim(header), ...rows];
}

function renderTotals(view: DemoView): string {
  const { requestsPerSecond, requests, failed, retried } = view.totals;
  const lost = failed === 0 ? green('0 failed') : red(`${failed} failed`);
  return ` ${bold('all')}   ${requestsPerSecond.toFixed(0)} req/s, ${requests} requests, ${lost}, ${retried} retried, nginx reloads ${view.nginxReloads}`;
}

function renderSteps(view: DemoView, width: number): readonly string[] {
  const marks = { waiting: dim('·'), running: yellow('▶'), done: green('✓'), failed: red('✗') };
  const cells = view.steps.map(({ name, state }) => ({
    length: name.length + 2,
    text: `${marks[state]} ${state === 'running' ? bold(name) : name}`,
  }));
  return flow(cells, width);
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
