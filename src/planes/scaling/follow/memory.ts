import { z } from 'zod';
import { messageOf } from '../../../model/values.ts';
import { readBounded } from '../../../runtime/bounded-file.ts';
import { replaceFile } from '../../../runtime/kept-file.ts';
import type { Log } from '../../../runtime/log.ts';
import type { Remembrance } from './remembrance.ts';

const Form = z.object({
  format: z.literal(1),
  floors: z.record(z.string(), z.object({ replicas: z.int().min(0), changedAtMs: z.number() })),
  rates: z.record(z.string(), z.object({ requestsPerSecond: z.number().min(0), atMs: z.number() })),
  shares: z.record(z.string(), z.number().min(0).max(1)).default({}),
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
    const nothing = { floors: new Map(), rates: new Map(), shares: new Map() };
    const text = await readBounded(this.#path, mostBytes).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') this.#complain(error);
      return undefined;
    });
    if (text === undefined) return nothing;
    try {
      const { floors, rates, shares } = Form.parse(JSON.parse(text.toString('utf8')));
      const mapOf = <T>(all: Readonly<Record<string, T>>): ReadonlyMap<string, T> => new Map(Object.entries(all));
      return { floors: mapOf(floors), rates: mapOf(rates), shares: mapOf(shares) };
    } catch (error) {
      this.#complain(error);
      return nothing;
    }
  }

  /** Writes it where it changed. Resolves with why it could not be written, else with nothing. */
  async write({ floors, rates, shares }: Remembrance): Promise<string | undefined> {
    const [told, known, parts] = [floors, rates, shares].map((all) => Object.fromEntries<unknown>(all));
    const value = { format: 1, floors: told, rates: known, shares: parts };
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
