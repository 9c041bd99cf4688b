import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stateOfLab } from '../../support/compile-cache.ts';
import { eventually } from '../../support/eventually.ts';

/**
 * Runs `make demo` as a person does: on a terminal (made by script(1)), with the live view, a fault by a key, and the key that
 * quits.
 */
let folder = '';
let child: ChildProcess;
let screen = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-terminal-'));
  const words = ['demo', '--report', join(folder, 'report.json'), '--state', stateOfLab(join(folder, 'lab'))];
  const command = `stty cols 120 rows 45; exec bin/tideline ${words.join(' ')}`;
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

it('shows the world, the users and the scenario', async () => {
  const frame = await untilFrame(/pods-routable/, 90_000);
  expect(frame).toMatch(/paris +BGP \d\/6/);
  expect(frame).toMatch(/^ users of +FR \d/m);
  expect(frame).toMatch(/^ (DNS|Route 53) /m);
  expect(frame).toMatch(/^ served by /m);
  expect(frame).toContain('compressed: health checks 10x faster');
  expect(frame).toContain('[q] quit');
}, 120_000);

it('keeps faults for after the scenario, which can be skipped', async () => {
  child.stdin?.write('6');
  await untilFrame(/\[6\] lose input: once the scenario is over/, 20_000);
  child.stdin?.write('s');
  await untilFrame(/Now it is yours/, 40_000);
}, 60_000);

it('makes trouble by a key, and heals it', async () => {
  child.stdin?.write('6');
  await untilFrame(/\[6\] lose input: input-lost paris\/vanished/, 20_000);
  child.stdin?.write('h');
  await untilFrame(/\[h\] heal all: healed input-lost/, 20_000);
}, 60_000);

it('ends on q, gives the terminal back, and leaves the summary there', async () => {
  child.stdin?.write('q');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  const leave = '\u001b[?25h\u001b[?1049l';
  expect(screen).toContain(leave);
  expect(screen.slice(screen.lastIndexOf(leave) + leave.length)).toMatch(
    /^\d+ of \d+ steps went well, .*report in .*report\.json\.\s*$/,
  );
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

/** The newest whole frame, from home to clear-below; the output may end in the middle of the next frame. */
function newestFrame(): string {
  const frames = screen.split('\u001b[H').slice(1);
  return frames.findLast((frame) => frame.includes('\u001b[J')) ?? '';
}
