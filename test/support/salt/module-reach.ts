import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import type { Called, Reach } from '../../../src/planes/fleet/run/reach.ts';
import { findSalt } from '../../../tools/salt/installation.ts';

const run = promisify(execFile);
const caller = join(import.meta.dirname, 'call.py');

/** Answers of a server that the test makes up, by function; what is not there is called for real. */
export type MadeUp = Readonly<Record<string, (server: string) => Called | undefined>>;

/**
 * Runs our execution modules on this machine in the place of each server, by its document. A server without one is silent. `path` is the
 * PATH of the programs that they start. `/run` ends with the test.
 */
export async function moduleReach(
  documents: ReadonlyMap<string, ServerDocument>,
  madeUp: MadeUp = {},
  path = process.env['PATH'],
): Promise<Reach> {
  const { python } = await findSalt(process.env);
  const folder = await mkdtemp('/run/tideline-reach-');
  const call = async (server: string, fn: string, args: object, signal: AbortSignal): Promise<Called> => {
    const made = madeUp[fn]?.(server);
    if (made !== undefined) return made;
    const document = documents.get(server);
    if (document === undefined) return { silent: true };
    const file = join(folder, `${server}.json`);
    await writeFile(file, JSON.stringify(document));
    const env = { PATH: path, PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await run(python, [caller, file, fn, JSON.stringify(args)], { env, signal });
    return JSON.parse(stdout) as Called;
  };
  return {
    apply: () => Promise.reject(new Error('no states are applied here')),
    async call(servers, fn, args, signal) {
      const answers = servers.map(async (server) => [server, await call(server, fn, args, signal)] as const);
      return new Map(await Promise.all(answers));
    },
  };
}
