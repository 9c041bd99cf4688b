import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import { findSalt } from '../../../tools/salt/installation.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../..');
const maxBuffer = 64 * 1024 * 1024;

/** What Salt says of one state. `result` is null when `test` is true and the state would change something. */
export interface StateResult {
  readonly __id__: string;
  readonly result: boolean | null;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly comment: string;
}

/** A copy of this machine on which the pinned Salt applies documents by itself, without a master. */
export interface Minion {
  /** Runs salt-call; resolves with its answer, also when states failed. */
  readonly call: (id: string, ...args: readonly string[]) => Promise<unknown>;
  readonly apply: (document: ServerDocument, ...args: readonly string[]) => Promise<readonly StateResult[]>;
  /** The orders that systemctl got since the last call of this function. */
  readonly orders: () => Promise<readonly string[]>;
  /** Runs a program on the copy. */
  readonly run: (...command: readonly string[]) => Promise<string>;
  /** The folder that is /mnt of the copy. */
  readonly shared: string;
  /** The Python that can import Salt, on the copy. */
  readonly python: string;
  /** Where the document of a minion id is read from. */
  readonly documentOf: (id: string) => string;
}

/** `/run` is a tmpfs of the test's own (tools/isolated), and ends with it. */
export async function scratchMinion(name: string, settings: object = {}): Promise<Minion> {
  const salt = await findSalt(process.env);
  const folder = `/run/salt-${name}`;
  const shared = join(folder, 'shared');
  await mkdir(join(shared, 'pillar'), { recursive: true });
  await mkdir(join(shared, 'secrets'), { recursive: true });
  const script = join(import.meta.dirname, 'scratch.sh');
  const scratch = async (...command: readonly string[]): Promise<string> => {
    const inside = [script, folder, repository, salt.folder, ...command];
    // salt-call exits with 2 when a state failed: its answer says more.
    const failed = (error: { readonly stdout?: string; readonly stderr?: string }): { readonly stdout: string } => {
      if (error.stdout?.startsWith('{') !== true) throw new Error(error.stderr ?? 'unshare could not be started');
      return { stdout: error.stdout };
    };
    return (await run('unshare', ['--mount', 'sh', ...inside], { maxBuffer }).catch(failed)).stdout;
  };
  await writeFile(join(shared, 'minion'), JSON.stringify({ ...minionSettings(), ...settings }));
  const documentOf = (id: string): string => join(shared, 'pillar', `${id}.json`);
  const call: Minion['call'] = async (id, ...args) => {
    const options = ['--local', '--config-dir=/mnt', `--id=${id}`, '--out=json', '--log-level=error'];
    const text = await scratch(salt.saltCall, ...options, ...args);
    return (JSON.parse(text) as { readonly local: unknown }).local;
  };
  return {
    shared,
    python: salt.python,
    documentOf,
    call,
    run: scratch,
    async apply(document, ...args) {
      await writeFile(documentOf(document.server.id), JSON.stringify(document));
      const answer = await call(document.server.id, 'state.apply', ...args);
      if (Array.isArray(answer)) throw new Error(answer.join('\n'));
      return Object.values(answer as Readonly<Record<string, StateResult>>);
    },
    async orders() {
      const log = join(shared, 'units.log');
      const text = await readFile(log, 'utf8').catch(() => '');
      await rm(log, { force: true });
      return text.split('\n').filter((line) => line !== '');
    },
  };
}

/** As a minion without a master is configured; salt/README.md shows the same for a master. */
function minionSettings(): object {
  return {
    file_client: 'local',
    cachedir: '/mnt/cache',
    pki_dir: '/mnt/pki',
    log_file: '/mnt/log',
    sock_dir: '/mnt/sock',
    file_roots: { base: ['/opt/tideline/salt/formulas', '/mnt/files'] },
    module_dirs: ['/opt/tideline/salt'],
    ext_pillar: [{ tideline: { folder: '/mnt/pillar', secrets: '/mnt/secrets' } }],
    'systemd.scope': false,
    // Facts of a cloud are asked for on the network, which this machine has not.
    metadata_server_grains: false,
  };
}
