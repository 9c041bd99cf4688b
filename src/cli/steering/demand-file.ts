import { type Command, Option } from 'commander';
import { z } from 'zod';
import { type CountryWeights, countedAlike, type MeasuredRates, weightsOf } from '../../model/country-weights.ts';
import { countries } from '../../model/geo/countries.ts';
import { states } from '../../model/geo/states.ts';
import { messageOf, withoutUndefined } from '../../model/values.ts';
import type { MeasuredDemand } from '../../observe/demand.ts';
import { badInput } from '../../planes/steering/reasons.ts';

/** Adds the option by which countries are weighed by what was measured; the same for a plan as for its apply. */
export function addDemandOption(command: Command): Command {
  return command.addOption(
    new Option('--demand <file>', 'weigh countries by the requests that `tideline steering demand` measured').env(
      'TIDELINE_DEMAND',
    ),
  );
}

/** What the file holds. Others may write it as well, from the logs of a cloud for example. */
export function demandToFile({ measuredAtMs, ...demand }: MeasuredDemand): object {
  return { measuredAt: new Date(measuredAtMs).toISOString(), ...demand };
}

const codes: ReadonlySet<string> = new Set([...countries, ...states].map(({ code }) => code));
/** More than all of the Internet asks of anybody; sums of it stay exact enough. */
const mostPerSecond = 1e12;
/** Clocks of two machines may differ by so much. */
const clockMs = 5 * 60_000;
const form = z.object({
  measuredAt: z.iso.datetime(),
  requestsPerSecond: z.record(z.string(), z.number().min(0).max(mostPerSecond)),
  unknownPerSecond: z.number().min(0).max(mostPerSecond).default(0),
  silent: z.array(z.object({ blade: z.string() })).default([]),
  unmeasured: z.array(z.string()).default([]),
  countryDataBuilt: z.iso.datetime().optional(),
});

interface DemandFile {
  readonly rates: MeasuredRates;
  /** Requests a second of users whose country is not known. */
  readonly unknownPerSecond: number;
  /** Blades that told nothing, and clusters of which no blade did; empty where somebody else wrote the file. */
  readonly silent: readonly string[];
  readonly unmeasured: readonly string[];
}

/** A file names 246 countries, and a few more things. */
const mostBytes = 1 << 20;

/** The weights of countries: by the file, or without one all alike. Throws an InputError for a file that cannot be read. */
export async function weightsOfFile(file: string | undefined, nowMs: number): Promise<CountryWeights> {
  if (file === undefined || file === '') return countedAlike();
  return weightsOf((await readDemandFile(file, nowMs)).rates, nowMs);
}

/** What a file holds that `tideline steering demand` wrote, or somebody else. Throws an InputError for one that cannot be read. */
export async function readDemandFile(file: string, nowMs: number): Promise<DemandFile> {
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const text = await readBounded(file, mostBytes).catch((error: unknown) => {
    throw unreadable(file, messageOf(error));
  });
  let value: unknown;
  try {
    value = JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw unreadable(file, messageOf(error));
  }
  const read = form.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw unreadable(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'another form'}`);
  }
  const { measuredAt, requestsPerSecond, unknownPerSecond, silent, unmeasured, countryDataBuilt } = read.data;
  const odd = Object.keys(requestsPerSecond).find((code) => !codes.has(code));
  if (odd !== undefined)
    throw unreadable(
      file,
      `requestsPerSecond.${odd}: expected the code of a country, such as FR, or of a state of the US, such as US-CA`,
    );
  const measuredAtMs = Date.parse(measuredAt);
  if (measuredAtMs > nowMs + clockMs)
    throw unreadable(
      file,
      `measuredAt ${measuredAt} lies in the future of this machine, whose clock says ${new Date(nowMs).toISOString()}`,
      'compare the clocks of both machines, and measure again',
    );
  return {
    rates: { measuredAtMs, requestsPerSecond, ...withoutUndefined({ countryDataBuilt }) },
    unknownPerSecond,
    silent: silent.map(({ blade }) => blade),
    unmeasured,
  };
}

const otherwise = 'write it with `tideline steering demand FOLDER --out FILE`, or leave --demand out';

function unreadable(file: string, why: string, fix = otherwise): Error {
  return badInput('DemandUnreadable', `${file} holds no demand of countries: ${why}`, fix);
}
