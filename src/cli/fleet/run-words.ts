import type { Outcome, Progress } from '../../planes/fleet/run/engine.ts';
import { stepName } from '../../planes/fleet/run/steps.ts';
import { systemClock } from '../../runtime/clock.ts';
import { printErrorLines } from '../../runtime/print.ts';
import { few } from './few.ts';

/** Tells a person on standard error what a run does, as it does it. */
export function printProgress(): (progress: Progress) => void {
  let begunMs = 0;
  return ({ wave, waves, of, step, event, line }) => {
    const place = `wave ${wave + 1} of ${waves}, ${of.cluster} ${of.kind}`;
    if (event === 'said') printErrorLines((line ?? '').split('\n').map((one) => `    ${one}`));
    else if (event === 'begun') {
      begunMs = systemClock.monotonic();
      const on = 'servers' in step ? `: ${few(step.servers)}` : '';
      printErrorLines([`${place}: ${stepName(step)}${on}`]);
    } else {
      const seconds = ((systemClock.monotonic() - begunMs) / 1000).toFixed(1);
      printErrorLines([`    ${event === 'ended' ? 'well' : 'NOT well'} after ${seconds} s`]);
    }
  };
}

/** What became of a run. */
export function outcomeLines(outcome: Outcome, waves: number): readonly string[] {
  if (outcome.ended === 'finished') return [waves === 1 ? '1 wave is done' : `${waves} waves are done`];
  if (outcome.ended === 'stopped') return [`stopped: ${outcome.why}`];
  const { wave, step, faults } = outcome;
  const later = waves - wave - 1;
  return [
    `${stepName(step)} failed in wave ${wave + 1} of ${waves}; ${later === 0 ? 'it is the last one' : `the ${later} after it are untouched`}`,
    ...faults
      .slice(0, 20)
      .flatMap(({ server, message }) =>
        `${server === undefined ? '' : `${server}: `}${message}`.split('\n').map((line) => `  ${line}`),
      ),
    ...(faults.length > 20 ? [`  and ${faults.length - 20} more`] : []),
  ];
}
