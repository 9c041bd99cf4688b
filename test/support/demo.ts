import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DemoReport } from '../../lab/demo/report.ts';
import { stateOfLab } from './compile-cache.ts';

/** The twelve steps that are played on any kind of cluster. */
const steps = [
  'pods-routable',
  'ingress-direct',
  'steering',
  'scale-up',
  'blade-drained',
  'blade-killed',
  'uplink-cut',
  'cluster-lost',
  'cluster-back',
  'cloud-region-lost',
  'input-lost',
  'agents-restarted',
] as const;
/** The programs of a lab on any kind of cluster, by words of their command lines. */
const programs = [
  'bird',
  'exabgp',
  'nginx',
  'pdns_server',
  'prometheus',
  'relay/main',
  'clients/main',
  'route53/main',
  'balancer/main',
] as const;
/** The steps in which no request may fail. */
const unnoticed = [
  'pods-routable',
  'ingress-direct',
  'steering',
  'scale-up',
  'blade-drained',
  'input-lost',
  'agents-restarted',
] as const;

interface DemoRun {
  readonly code: number | null;
  readonly report: DemoReport;
  readonly output: string;
}

/** Plays the scenario once and judges it by its report: every step was played in order and went well, and no process is left. */
export function describeDemo(options: {
  /** The command's arguments besides `demo --once`. */
  readonly words: readonly string[];
  readonly moreSteps: readonly string[];
  readonly moreUnnoticed: readonly string[];
  readonly morePrograms: readonly string[];
  readonly timeoutMs: number;
}): void {
  let run: DemoRun | undefined;
  let folder = '';
  let processesBefore: readonly string[] = [];
  const seen = new Set<string>();
  const allPrograms = [...programs, ...options.morePrograms];
  const theRun = (): DemoRun => {
    if (run === undefined) throw new Error('the demo wrote no report');
    return run;
  };
  const stepNamed = (name: string) => theRun().report.steps.find((step) => step.name === name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tideline-demo-'));
    processesBefore = await processes(allPrograms);
    const file = join(folder, 'report.json');
    const words = ['demo', '--once', ...options.words, '--report', file, '--state', stateOfLab(join(folder, 'lab'))];
    // This is Go's default, as a person has it; control planes of tests collect garbage less often (vitest.config.ts).
    const env = { ...process.env, GOGC: '100' };
    const child = spawn('bin/tideline', words, { stdio: ['ignore', 'pipe', 'inherit'], env });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [code] = await watchProcesses(closed, allPrograms, (line) => seen.add(line));
    run = { code, output, report: JSON.parse(await readFile(file, 'utf8')) as DemoReport };
  }, options.timeoutMs);

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('plays every step of the scenario, in order', () => {
    expect(theRun().report.steps.map(({ name }) => name)).toEqual([...steps, ...options.moreSteps]);
  });

  it.each([...steps, ...options.moreSteps])('%s goes well', (name) => {
    const step = stepNamed(name);
    expect({ ok: step?.ok, detail: step?.detail }).toEqual({ ok: true, detail: step?.detail });
    expect(step?.requests).toBeGreaterThan(0);
  });

  it.each([...unnoticed, ...options.moreUnnoticed])('%s costs no request', (name) => {
    expect(stepNamed(name)?.failed).toBe(0);
  });

  it('has the alert for a lost site fire when it is lost, and not before', () => {
    expect(stepNamed('cluster-lost')?.alerts).toContain('TidelineBladesGone paris');
    for (const name of steps.slice(0, steps.indexOf('cluster-lost')))
      expect(stepNamed(name)?.alerts).not.toContain('TidelineBladesGone paris');
  });

  it('never reloads nginx, exits with 0, and says so', () => {
    const { code, report, output } = theRun();
    expect({ code, ok: report.ok, reloads: report.nginxReloads }).toEqual({ code: 0, ok: true, reloads: 0 });
    const count = steps.length + options.moreSteps.length;
    expect(output).toContain(`${count} of ${count} steps went well`);
  });

  it('stays within its memory', () => {
    expect(theRun().report.memoryMiB).toBeGreaterThan(0);
    expect(theRun().report.memoryMiB).toBeLessThan(3072);
  });

  it('leaves no process behind', async () => {
    // What is not seen while it runs would not be seen when it is left.
    const unseen = allPrograms.filter((program) => ![...seen].some((line) => mentions(line, program)));
    expect(unseen).toEqual([]);
    expect((await processes(allPrograms)).filter((line) => !processesBefore.includes(line))).toEqual([]);
  });
}

/** Resolves as `ended` does; until then tells of the processes of these programs every few seconds. */
async function watchProcesses<Result>(
  ended: Promise<Result>,
  names: readonly string[],
  tell: (line: string) => void,
): Promise<Result> {
  for (;;) {
    const [result] = await Promise.race([ended.then((value) => [value] as const), setTimeout(2000, [] as const)]);
    if (result !== undefined) return result;
    for (const line of await processes(names)) tell(line);
  }
}

/** The processes of these programs that run on this machine, each as `pid command`. */
async function processes(names: readonly string[]): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    ids.map(async (id) => `${id} ${await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')}`),
  );
  return commands.filter((line) => names.some((name) => mentions(line, name)));
}

function mentions(line: string, program: string): boolean {
  return new RegExp(`\\b${program}\\b`).test(line);
}
