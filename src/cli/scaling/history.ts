import { type Command, InvalidArgumentError } from 'commander';
import { messageOf } from '../../model/values.ts';
import type { Measured } from '../../planes/scaling/demand.ts';
import type { Step } from '../../planes/scaling/forecast/history.ts';

/** What of a forecast a person chooses. */
export interface ForecastArguments {
  readonly history?: string;
  readonly at?: string;
  readonly margin: number;
}

/** The option of commands that change nothing: they may look ahead. */
export function addAtOption(command: Command): Command {
  return command.option(
    '--at <moment>',
    'with --history: what will be asked then: "sunday 21:00", "tomorrow 08:00 Europe/Paris", 2026-12-24T18:00:00Z',
    parseWord,
  );
}

function parseWord(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a moment: "sunday 21:00".');
  return text.trim();
}

/** Without a moment: as far ahead as it takes until somebody reckons again, and replicas are Ready. */
const aheadMs = 15 * 60_000;
/** The share of its own past errors that a margin covers. */
const quantile = 0.975;

type Expected = Pick<Measured, 'rates' | 'unknownPerSecond' | 'silent' | 'unmeasured' | 'basis' | 'doubts'>;

/** The demand that a history says, its margins included. Throws an InputError for a history that cannot be used. */
export async function expectedDemand(
  path: string,
  { at, margin }: ForecastArguments,
  nowMs: number,
): Promise<Expected> {
  const { forecast } = await import('../../planes/scaling/forecast/forecast.ts');
  const { unknownPlace } = await import('../../planes/scaling/forecast/history.ts');
  const { forecastFindings, forecastLine } = await import('../../planes/scaling/forecast-text.ts');
  const { badScaling } = await import('../../planes/scaling/reasons.ts');
  const atMs = at === undefined ? nowMs + aheadMs : await momentOf(at, nowMs);
  const { steps, damaged } = await readSteps(path);
  const made = forecast(steps, { atMs, nowMs, quantile, fallbackMargin: margin });
  if (made === undefined)
    throw badScaling(
      'HistoryUnreadable',
      `${path} holds no step until now`,
      'tideline steering demand FOLDER --history FOLDER writes one',
    );
  const upper = new Map(made.places.map((one) => [one.place, one.requestsPerSecond * (1 + one.margin)]));
  const { [unknownPlace]: unknownPerSecond = 0, ...requestsPerSecond } = Object.fromEntries(upper);
  const lost = damaged === 0 ? [] : [`${damaged} lines of ${path} could not be read`];
  return {
    rates: { measuredAtMs: made.toMs, requestsPerSecond },
    unknownPerSecond,
    silent: [],
    unmeasured: [],
    basis: [forecastLine(made), ...lost].join('; '),
    doubts: forecastFindings(made),
  };
}

async function momentOf(text: string, nowMs: number): Promise<number> {
  const { momentAhead } = await import('../../planes/scaling/forecast/moment.ts');
  return momentAhead(text, { nowMs, zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
}

/** A year of five minutes of a country, or a month of all that matter. */
const mostBytes = 64 << 20;

async function readSteps(path: string): Promise<{ readonly steps: readonly Step[]; readonly damaged: number }> {
  const { stat } = await import('node:fs/promises');
  const { readHistory } = await import('../../planes/scaling/history/store.ts');
  const { stepsOfCsv } = await import('../../planes/scaling/history/csv.ts');
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const { badScaling } = await import('../../planes/scaling/reasons.ts');
  const unreadable = (error: unknown): never => {
    throw badScaling(
      'HistoryUnreadable',
      `${path} holds no history: ${messageOf(error)}`,
      'name the folder of a history, or a file of time,country,requests per second',
    );
  };
  const found = await stat(path).catch(unreadable);
  if (found.isDirectory()) return await readHistory(path).catch(unreadable);
  const text = await readBounded(path, mostBytes).catch(unreadable);
  return { steps: stepsOfCsv(text.toString('utf8'), path), damaged: 0 };
}
