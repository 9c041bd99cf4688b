import type { ReadStream } from 'node:tty';
import { InputError } from '../../src/model/problem.ts';
import { printLines } from '../../src/runtime/print.ts';
import { waitForShutdown } from '../../src/runtime/shutdown.ts';
import { lifelineClosed } from '../box.ts';
import { controlSocket } from '../control/client.ts';
import { serveControl } from '../control/server.ts';
import { quitKeys } from '../demo/keys.ts';
import { writeReport } from '../demo/report.ts';
import { place } from '../fleet/router.ts';
import { edgeVip } from '../fleet/spec.ts';
import { memoryUse } from '../observe/memory.ts';
import { labCommand } from '../state.ts';
import { playStep } from './play.ts';
import { type FleetStepReport, stepLines, summarise, summary } from './report.ts';
import { fleetScenario } from './scenario.ts';
import { client, FleetWorld, type FleetWorldOptions, host } from './world.ts';

export interface FleetDemoOptions extends Omit<FleetWorldOptions, 'say'> {
  readonly stateFolder: string;
  readonly reportFile: string;
  /** A terminal whose person leaves by a key; absent: the scenario is played once, and the demo ends with it. */
  readonly terminal?: ReadStream;
}

/** The exit code of a demo that was ended before its scenario was over. */
export const interrupted = 130;

/**
 * Called inside the box: plays the fleet's scenario as lines of text and writes its report; on a terminal the fleet stays afterwards until the
 * person leaves. Resolves with the exit code when every server has ended.
 */
export async function runFleetDemo(options: FleetDemoOptions): Promise<number> {
  const { promise: down, resolve: goDown } = Promise.withResolvers<void>();
  const { stateFolder } = options;
  const control = await serveControl(controlSocket(stateFolder), {
    occupant: 'demo',
    stateFolder,
    status: refused,
    fault: refused,
    heal: refused,
    down: () => goDown(),
  });
  const world = new FleetWorld({ ...options, say: (stage) => printLines([`  ${stage}`]) });
  const leave = options.terminal === undefined ? undefined : leavesByKey(options.terminal);
  const ended = Promise.race([down, lifelineClosed(), waitForShutdown(), ...(leave === undefined ? [] : [leave])]);
  let code = interrupted;
  let left = false;
  void ended.then(() => {
    left = true;
  });
  const played = play(world, options, () => left).then(async (ok) => {
    code = ok ? 0 : 1;
    if (leave === undefined) return;
    printLines(['', 'The fleet is yours until you press q.', ...toTry(stateFolder)]);
    await ended;
  });
  try {
    await Promise.race([played, ended]);
    return code;
  } finally {
    options.terminal?.setRawMode(false).pause();
    await Promise.all([control.stop(), world.stop()]);
  }
}

/** What a person may try in a fleet. */
function toTry(stateFolder: string): readonly string[] {
  const on = (machine: string, words: readonly string[]): string =>
    `  ${labCommand(['exec', '--on', machine, '--', ...words], stateFolder)}`;
  return [
    on(client.namespace, ['curl', '--header', `Host: ${host}`, `http://${edgeVip}/`]),
    on(place.namespace, ['ip', 'route', 'show', 'proto', 'bird']),
  ];
}

/** Plays the steps until one fails: the next ones begin with what it should have left. A demo that is left meanwhile says nothing more. */
async function play(world: FleetWorld, options: FleetDemoOptions, isLeft: () => boolean): Promise<boolean> {
  const steps: FleetStepReport[] = [];
  for (const step of fleetScenario) {
    printLines(['', `> ${step.name}`]);
    const report = await playStep(step, world, (line) => printLines([`  ${line}`]));
    if (isLeft()) return false;
    printLines(stepLines(report));
    steps.push(report);
    if (!report.ok) break;
  }
  const report = summarise(fleetScenario, steps, (await memoryUse()).totalMiB);
  await writeReport(options.reportFile, report);
  printLines(['', ...summary(report, options.reportFile)]);
  return report.ok;
}

function leavesByKey(terminal: ReadStream): Promise<void> {
  terminal.setRawMode(true);
  terminal.setEncoding('utf8');
  terminal.resume();
  return new Promise((resolve) => {
    terminal.on('data', (chunk: string | Buffer) => {
      for (const key of String(chunk)) if (quitKeys.has(key)) resolve();
    });
  });
}

/** A fleet has neither views nor faults of a lab. */
const refused = async (): Promise<never> => {
  throw new InputError({
    reason: 'DemoRunning',
    message: 'what runs here is the demo of the fleet, which has no status and no faults of a lab',
    fix: 'read what it prints; or start a lab with: tideline lab up --state DIR',
  });
};
