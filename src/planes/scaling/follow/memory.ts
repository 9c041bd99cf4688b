import { z } from 'zod';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { Log } from '../../../runtime/log.ts';
import type { KnownRates } from './demand-kept.ts';
import type { KeptFloor } from './floors-kept.ts';

/** What an agent must not forget by a restart: what it told autoscalers, and what it last knew of each country. */
export interface Remembrance {
  readonly floors: ReadonlyMap<string, KeptFloor>;
  readonly rates: KnownRates;
}

const Form = z.object({
  format: z.literal(1),
  floors: z.record(z.string(), z.object({ replicas: z.int().min(0), changedAtMs: z.number() })),
  rates: z.record(z.string(), z.object({ requestsPerSecond: z.number().min(0), atMs: z.number() })),
});

const mostBytes = 4 << 20;

/** The file in which it stands. */
export class MemoryFile {
  readonly #path: string;
  readonly #log: Log;
  #written = '';

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** What was remembered; nothing where there is no file, or none that can be read, which is said. */
  async read(): Promise<Remembrance> {
    const nothing = { floors: new Map(), rates: new Map() };
    const text = await readBounded(this.#path, mostBytes).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') this.#complain(error);
      return undefined;
    });
    if (text === undefined) return nothing;
    try {
      const { floors, rates } = Form.parse(JSON.parse(text.toString('utf8')));
      return { floors: new Map(Object.entries(floors)), rates: new Map(Object.entries(rates)) };
    } catch (error) {
      this.#complain(error);
      return nothing;
    }
  }

  /** Writes it where it changed. Resolves with why it could not be written, else with nothing. */
  async write({ floors, rates }: Remembrance): Promise<string | undefined> {
    const value = { format: 1, floors: Object.fromEntries(floors), rates: Object.fromEntries(rates) };
    const text = `${JSON.stringify(value)}\n`;
    if (text === this.#written) return undefined;
    try {
      await replaceFile(this.#path, text);
      this.#written = text;
      return undefined;
    } catch (error) {
      return `what is to outlast a restart cannot be written: ${messageOf(error)}`;
    }
  }

  #complain(error: unknown): void {
    this.#log.warn(
      { path: this.#path, error: messageOf(error) },
      'what was told before is not known; floors begin anew',
    );
  }
}
