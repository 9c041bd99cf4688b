import type { ReadStream, WriteStream } from 'node:tty';
import { printLines } from '../../src/runtime/print.ts';
import { memoryUse } from '../observe/memory.ts';
import { LiveView } from './live.ts';
import type { DemoPort, Faults } from './port.ts';
import { ReloadCount } from './reloads.ts';
import { type DemoReport, type StepReport, summarise, summary, writeReport } from './report.ts';
import { runStep, scenarioOf } from './scenario.ts';
import { Stage } from './stage.ts';

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
  const play = new Play(lab, board, options);
  if (options.terminal === undefined) {
    await play.run(textView(options.output));
    const report = await play.report();
    printLines(['', ...summary(report, options.reportFile)], options.output);
    return report.ok ? 0 : 1;
  }
  const view = new LiveView({ lab, board, ...options.terminal });
  view.start();
  try {
    const played = play.run(view).then(async () => {
      const report = await play.report();
      const told = summary(report, options.reportFile).join('; ');
      view.handOver(`Now it is yours: make trouble with the keys below. ${told}`);
    });
    await Promise.race([view.quit, played.then(() => view.quit)]);
  } finally {
    view.stop();
  }
  printLines(summary(await play.report(), options.reportFile), options.output);
  return 0;
}

/** The scenario on its way. */
class Play {
  readonly #lab: DemoPort;
  readonly #board: Faults;
  readonly #options: DemoOptions;
  readonly #reloads: ReloadCount;
  readonly #steps: StepReport[] = [];
  #report: Promise<DemoReport> | undefined;

  constructor(lab: DemoPort, board: Faults, options: DemoOptions) {
    this.#lab = lab;
    this.#board = board;
    this.#options = options;
    this.#reloads = new ReloadCount(lab);
  }

  async run(view: ScenarioView): Promise<void> {
    const lab = this.#lab;
    const board = this.#board;
    const narrate = (line: string): void => view.narrate(line);
    await prepare(new Stage(lab, board, narrate));
    let fromMs = lab.clock.now();
    for (const step of scenarioOf(lab)) {
      if (view.skipped) return;
      view.begin(step.name);
      await this.#reloads.total();
      const { report, toMs } = await runStep(step, { lab, board, narrate, fromMs });
      fromMs = toMs;
      view.end(report);
      this.#steps.push(report);
    }
  }

  /** Writes the report of the steps that were played when this is called first. */
  report(): Promise<DemoReport> {
    this.#report ??= this.#writeReport();
    return this.#report;
  }

  async #writeReport(): Promise<DemoReport> {
    const steps = [...this.#steps];
    const report = summarise(steps, {
      notPlayed: scenarioOf(this.#lab)
        .map(({ name }) => name)
        .filter((name) => !steps.some((step) => step.name === name)),
      nginxReloads: await this.#reloads.total(),
      firstServedAfterMs: this.#options.startupMs + (this.#lab.firstServedAfterMs ?? 0),
      memoryMiB: (await memoryUse()).totalMiB,
    });
    await writeReport(this.#options.reportFile, report);
    return report;
  }
}

/**
 * Waits until the platform is whole and serves steadily: it serves its first page earlier, while blades and workers still come one by one,
 * and routers move flows to each that comes.
 */
async function prepare(stage: Stage): Promise<void> {
  stage.narrate('Waiting until every session, agent, blade and worker of the platform is there.');
  await stage.untilWhole();
  await stage.waitUntilNoFailures(1000);
}

function textView(output: NodeJS.WritableStream): ScenarioView {
  return {
    skipped: false,
    begin: (step) => printLines(['', `> ${step}`], output),
    narrate: (line) => printLines([`  ${line}`], output),
    end: (report) => {
      const { ok, name, seconds, requests, failed, retried, recoveredAfterMs, alerts, detail } = report;
      const recovered = recoveredAfterMs === null || failed === 0 ? '' : `, recovered after ${recoveredAfterMs} ms`;
      const figures = `${seconds} s, ${requests} requests, ${failed} failed${recovered}, ${retried} retried`;
      const fired = alerts.length === 0 ? [] : [`  alerts: ${alerts.join(', ')}`];
      printLines([`${ok ? 'ok' : 'FAILED'} ${name}: ${figures}`, `  ${detail}`, ...fired], output);
    },
  };
}
