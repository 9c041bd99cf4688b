import { z } from 'zod';
import type { Step } from '../forecast/history.ts';

/** Steps, and how many lines could not be read. */
export interface ReadSteps {
  readonly steps: readonly Step[];
  readonly damaged: number;
}

/** A rate is written with so many figures: no counter is more exact, and all digits would double the file. */
const figures = 5;

/** A step as JSON in one line. */
export function lineOf({ atMs, requestsPerSecond, unknownPerSecond }: Step): string {
  const short = (rate: number): number => Number(rate.toPrecision(figures));
  return JSON.stringify({
    atMs,
    requestsPerSecond: Object.fromEntries(
      Object.entries(requestsPerSecond).map(([place, rate]) => [place, short(rate)]),
    ),
    ...(unknownPerSecond === undefined ? {} : { unknownPerSecond: short(unknownPerSecond) }),
  });
}

const rate = z.number().min(0).max(1e12);
const form = z.object({
  atMs: z.int(),
  requestsPerSecond: z.record(z.string(), rate),
  unknownPerSecond: rate.exactOptional(),
});

/** The steps of such lines. A line that was cut, or says something else, is left out and counted. */
export function stepsOfLines(text: string): ReadSteps {
  const lines = text.split('\n').filter((line) => line !== '');
  const steps = lines.flatMap((line): Step[] => {
    const read = form.safeParse(valueOf(line));
    return read.success ? [read.data] : [];
  });
  return { steps, damaged: lines.length - steps.length };
}

function valueOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
