import type { ReadStream, WriteStream } from 'node:tty';
import { printLines } from '../../src/runtime/print.ts';
import { memoryUse } from '../observe/memory.ts';
import { LiveView } from './live.ts';
import type { DemoPort, Faults } from './port.ts';
import { ReloadCount } from './reloads.ts';
import { type DemoReport, type StepReport, summarise, writeReport } from './report.ts';
import { runStep, scenarioOf } from './scenario.ts';

export interface DemoOptions {
  readonly reportFile: string;
  /** ms from the person's command to the start of the lab, without the set-up. */
  readonly startupMs: number;
  readonly output: NodeJS.WritableStream;
  /** The live view's terminal; when absent the scenario runs once and is told as lines of text. */
  readonly terminal?: { readonly input: ReadStream; readonly output: WriteStream; readonly colour: boolean };
}

/** Shows the scenario's progress to a person. */
interface ScenarioView {
  /** True once the person wants to see no further steps. */
  readonly skipped: boolean;
  begin(step: string): void;
  narrate(line: string): void;
  end(report: StepReport): void;
}

/** Plays the scenario on a running lab and writes the report; with a terminal it then stays until the person leaves. */
export async function playDemo(lab: DemoPort, board: Faults, options: DemoOptions): Promise<number> {
  if (options.terminal === undefined) {
    const report = await play(lab, board, options, textView(options.output));
    printLines([summary(report, options.reportFile)], options.output);
    return report.ok ? 0 : 1;
  }
  const view = new LiveView({ lab, board, ...options.terminal });
  let outcome = 'Left before the scenario was over; there is no report.';
  view.start();
  try {
    const played = play(lab, board, options, view).then((report) => {
      outcome = summary(report, options.reportFile);
      view.handOver(`${outcome} Now it is yours: make trouble with the keys below.`);
    });
    await Promise.race([view.quit, played.then(() => view.quit)]);
  } finally {
    view.stop();
  }
  printLines([outcome], options.output);
  return 0;
}

async function play(lab: DemoPort, board: Faults, options: DemoOptions, view: ScenarioView): Promise<DemoReport> {
  const steps: StepReport[] = [];
  const reloads = new ReloadCount(lab);
  const narrate = (line: string): void => view.narrate(line);
  let fromMs = lab.clock.now();
  for (const step of scenarioOf(lab)) {
    if (view.skipped) break;
    view.begin(step.name);
    await reloads.total();
    const { report, toMs } = await runStep(step, { lab, board, narrate, fromMs });
    fromMs = toMs;
    view.end(report);
    steps.push(report);
  }
  const report = summarise(steps, {
    nginxReloads: await reloads.total(),
    firstServedAfterMs: options.startupMs + (lab.firstServedAfterMs ?? 0),
    memoryMiB: (await memoryUse()).totalMiB,
  });
  await writeReport(options.reportFile, report);
  return report;
}

function textView(output: NodeJS.WritableStream): ScenarioView {
  return {
    skipped: false,
    begin: (step) => printLines(['', `> ${step}`], output),
    narrate: (line) => printLines([`  ${line}`], output),
    end: (report) => {
      const { ok, name, seconds, requests, failed, retried, recoveredAfterMs, detail } = report;
      const recovered = recoveredAfterMs === null || failed === 0 ? '' : `, recovered after ${recoveredAfterMs} ms`;
      const figures = `${seconds} s, ${requests} requests, ${failed} failed${recovered}, ${retried} retried`;
      printLines([`${ok ? 'ok' : 'FAILED'} ${name}: ${figures}`, `  ${detail}`], output);
    },
  };
}

function summary(report: DemoReport, file: string): string {
  const good = report.steps.filter(({ ok }) => ok).length;
  const requests = report.steps.reduce((sum, step) => sum + step.requests, 0);
  const first = (report.firstServedAfterMs / 1000).toFixed(1);
  return `${good} of ${report.steps.length} steps went well, ${requests} requests, ${report.nginxReloads} nginx reloads, first request served after ${first} s, ${report.memoryMiB} MiB; report in ${file}.`;
}
