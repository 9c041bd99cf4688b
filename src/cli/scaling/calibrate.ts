import { type Command, InvalidArgumentError } from 'commander';
import type { Next, Trial } from '../../planes/scaling/calibrate/search.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';

interface CalibrateArguments extends OutputArguments {
  readonly host?: string;
  readonly first: number;
  readonly most: number;
  /** Seconds. */
  readonly for: number;
  /** Milliseconds. */
  readonly p95: number;
  readonly failures: number;
  readonly yes?: true;
}

/** `tideline scaling calibrate URL`: how many calls a second one replica serves, measured under load. */
export function register(scaling: Command): void {
  const command = scaling
    .command('calibrate')
    .description(
      'Measure under load how many calls a second one replica serves, for `callsPerSecond` of a ScalingTarget',
    )
    .argument('<url>', 'a request to one replica, at its own address: http://10.10.3.4:8080/path', parseUrl)
    .option('--host <name>', 'the host that is asked for there')
    .option('--first <rate>', 'requests a second to begin with', parseNumber(0.1, 10_000), 10)
    .option('--most <rate>', 'requests a second that are not exceeded', parseNumber(1, 20_000), 500)
    .option('--for <seconds>', 'how long each rate is tried', parseNumber(1, 600), 15)
    .option('--p95 <ms>', 'milliseconds that 95 of 100 answers may take', parseNumber(1, 60_000), 250)
    .option('--failures <share>', 'the share of requests that may fail', parseNumber(0, 0.5), 0.005)
    .option('-y, --yes', 'put load on it');
  addOutputOption(command)
    .addHelpText(
      'after',
      `
The rate is doubled until the replica answers too late, or fails, and then sought between; users of this replica feel that. Take a request
as users make it, a replica of the release that is to be, and one that gets no other traffic. Without --yes nothing is sent.
Exit code 0: measured, 1: not even one rate was served, 2: bad input.`,
    )
    .action(run);
}

async function run(url: URL, options: CalibrateArguments): Promise<void> {
  const { output, yes } = options;
  if (yes !== true) {
    await printResult(output, { lines: () => planLines(url, options), value: () => ({ url: url.href, trials: [] }) });
    return;
  }
  const { loadAt } = await import('../../planes/scaling/calibrate/load.ts');
  const { nextRate } = await import('../../planes/scaling/calibrate/search.ts');
  const { systemClock: clock } = await import('../../runtime/clock.ts');
  const { showProgress } = await import('../progress.ts');
  const bounds = { p95Ms: options.p95, failures: options.failures };
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const progress = showProgress();
  const trials: Trial[] = [];
  let next: Next = nextRate(trials, { ...options, bounds });
  while ('rate' in next && !stop.signal.aborted) {
    progress.step(`${next.rate.toFixed(1)} requests/s for ${options.for} s`);
    const how = { url, host: options.host, seconds: options.for, timeoutMs: Math.max(2000, 4 * options.p95) };
    trials.push(await loadAt(next.rate, { ...how, clock, signal: stop.signal }));
    next = nextRate(trials, { ...options, bounds });
  }
  progress.end();
  const result = 'best' in next && !stop.signal.aborted ? next : undefined;
  await printResult(output, {
    lines: () => [...trials.map(trialLine), ...resultLines(result, options)],
    value: () => ({
      url: url.href,
      trials,
      ...(result === undefined ? {} : { callsPerSecond: result.best, why: result.why }),
    }),
  });
  if (result === undefined || result.best === 0) process.exitCode = 1;
}

function planLines(url: URL, { first, most, p95, failures, for: seconds }: CalibrateArguments): readonly string[] {
  return [
    `${url.href} would be asked ${first} times a second for ${seconds} s, then twice as often, up to ${most} times a second,`,
    `until 95 of 100 answers take more than ${p95} ms or more than ${failures * 100} % fail; then rates between are tried`,
    'nothing was sent: --yes does it',
  ];
}

function trialLine({ rate, sent, failed, p95Ms, isLate }: Trial): string {
  const p95 = p95Ms === undefined ? 'no answer' : `p95 ${p95Ms.toFixed(0)} ms`;
  const late = isLate ? '; this machine sent too late' : '';
  return `  ${rate.toFixed(1).padStart(8)} requests/s: ${sent} sent, ${failed} failed, ${p95}${late}`;
}

const reasons = {
  replica: 'the replica serves no more',
  most: 'no more was tried: --most',
  machine: 'this machine sends no more, so the replica may serve more: run it where there is more processor',
  nothing: 'the replica serves nothing of this kind: look at the answer of a single request',
} as const;

function resultLines(
  result: Extract<Next, { readonly best: number }> | undefined,
  { most }: CalibrateArguments,
): readonly string[] {
  if (result === undefined) return ['stopped before anything was known'];
  const { best, why } = result;
  if (best === 0) return [reasons[why]];
  const known = Math.min(most, best);
  return [`callsPerSecond: ${known < 10 ? known.toFixed(1) : Math.floor(known)}   # ${reasons[why]}`];
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new InvalidArgumentError('Expected a URL of http or https: http://10.10.3.4:8080/path.');
  if (url.username !== '' || url.password !== '') throw new InvalidArgumentError('Expected a URL without a password.');
  return url;
}

function parseNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
    return value;
  };
}
