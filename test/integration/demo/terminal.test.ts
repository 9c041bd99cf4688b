import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DemoReport } from '../../../lab/demo/report.ts';
import { stateOfLab } from '../../support/compile-cache.ts';
import { eventually } from '../../support/eventually.ts';

/**
 * Runs `make demo` as a person does: on a terminal of 80 x 24 (made by script(1)), with the live view, a fault by a key, another size,
 * and the key that quits.
 */
let folder = '';
let child: ChildProcess;
let screen = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-terminal-'));
  const words = ['demo', '--report', join(folder, 'report.json'), '--state', stateOfLab(join(folder, 'lab'))];
  const command = `tty >${join(folder, 'tty')}; stty cols 80 rows 24; exec bin/tideline ${words.join(' ')}`;
  child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
});

afterAll(async () => {
  if (child.exitCode === null) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

it('shows the story, the keys, the world and the users in 24 rows of 80 columns', async () => {
  const frame = await untilFrame(
    /^(?=[^]*1 of 12: pods-routable)(?=[^]*^ Every worker announces the Calico blocks)/m,
    400_000,
  );
  expectFits(frame, 80, 24);
  expect(frame).toMatch(/^TIDELINE \d+:\d\d {2}\[q\] quit/);
  expect(frame).toContain('[s] skip the scenario');
  expect(frame).toMatch(/paris +BGP \d\/6/);
  expect(frame).toMatch(/^ users of +FR \d/m);
  expect(frame).toMatch(/^ (DNS|Route 53) /m);
  expect(frame).toMatch(/^ served by /m);
  for (const region of ['cloud-europe', 'cloud-america', 'cloud-asia']) expect(frame).toMatch(`${region} BGP 1/1`);
  expect(frame).toContain('10x health checks, 20x alerts, TTL 2 s');
}, 410_000);

it('keeps faults for after the scenario, which can be skipped', async () => {
  child.stdin?.write('6');
  await untilFrame(/\[6\] lose input: once the scenario is over/, 20_000);
  child.stdin?.write('s');
  await untilFrame(/Now it is yours/, 90_000);
}, 120_000);

it('makes trouble by a key, and heals it', async () => {
  child.stdin?.write('6');
  await untilFrame(/\[6\] lose input: input-lost paris\/vanished/, 20_000);
  child.stdin?.write('h');
  await untilFrame(/\[h\] heal all: healed input-lost/, 20_000);
}, 60_000);

it('fits another size as soon as the terminal has it', async () => {
  const terminal = (await readFile(join(folder, 'tty'), 'utf8')).trim();
  execFileSync('stty', ['-F', terminal, 'cols', '50', 'rows', '12']);
  const frame = await untilFrame(/^TIDELINE[^\n]{1,42}\n(?:[^\n]{0,50}\n){10}[^\n]{0,50}$/, 20_000);
  expectFits(frame, 50, 12);
  expect(frame).toContain('[9] kill ExaBGP');
}, 30_000);

it('ends on q, gives the terminal back, and leaves the summary there', async () => {
  child.stdin?.write('q');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  const leave = '\u001b[?25h\u001b[?1049l';
  expect(screen).toContain(leave);
  const left = screen.slice(screen.lastIndexOf(leave) + leave.length).replaceAll(/\s+/g, ' ');
  expect(left).toMatch(/^(\d+) of \1 steps went well, .* not played: .* report in \S+report\.json $/);
  const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as DemoReport;
  expect(report.steps.length + report.notPlayed.length).toBe(12);
}, 30_000);

/** The newest whole frame, once it matches. */
async function untilFrame(pattern: RegExp, timeoutMs: number): Promise<string> {
  const look = (): string | undefined => {
    const frame = stripVTControlCharacters(newestFrame()).replaceAll('\r', '');
    if (pattern.test(frame)) return frame;
    if (child.exitCode !== null) throw new Error(`the demo ended: ${stripVTControlCharacters(screen).slice(-3000)}`);
    return undefined;
  };
  const show = (): string => stripVTControlCharacters(screen);
  return eventually(`a frame matches ${pattern}`, look, { timeoutMs, everyMs: 100, onError: 'fail', show });
}

/** The newest whole frame; the output may end in the middle of the next one. */
function newestFrame(): string {
  const [begin, end] = ['\u001b[?2026h', '\u001b[?2026l'];
  const frames = screen.split(begin).slice(1);
  const whole = frames.findLast((frame) => frame.includes(end)) ?? '';
  return whole.slice(0, whole.indexOf(end));
}

function expectFits(frame: string, columns: number, rows: number): void {
  const lines = frame.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(rows);
  for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(columns);
}
