import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findRoot } from '../../../lab/servers/root.ts';
import type { ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import type { Reach } from '../../../src/planes/fleet/run/reach.ts';
import { reachBySsh } from '../../../src/planes/fleet/run/ssh.ts';
import { findSalt } from '../../../tools/salt/installation.ts';
import { eventually } from '../eventually.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

/** Servers that are reached by ssh: a real sshd each, and Salt without a master. */
export interface SshFleet {
  /** Without `files` a server has what it has. */
  readonly reach: (files?: string) => Reach;
  /** The folder of documents. */
  readonly out: string;
  /** What a file server of Salt would have. */
  readonly files: string;
  /** The configuration of ssh. */
  readonly config: string;
  readonly put: (document: ServerDocument) => Promise<void>;
  /** The text of a file of a server; undefined when it has none. */
  readonly textOf: (server: string, path: string) => Promise<string | undefined>;
  /** What a command says on a server. */
  readonly say: (server: string, command: string) => Promise<string>;
  readonly stop: (server: string) => void;
  readonly start: (server: string) => Promise<void>;
  /** From now on the host key that is known of this server is another one. */
  readonly doubt: (server: string) => Promise<void>;
  readonly end: () => void;
}

/** `/run` is a tmpfs of the test's own (tools/isolated), and ends with it. `addresses` are on the loopback. */
export async function sshFleet(addresses: Readonly<Record<string, string>>): Promise<SshFleet> {
  const [salt, root] = await Promise.all([findSalt(process.env), findRoot(process.env)]);
  const desk = '/run/ssh-desk';
  const [out, files, config] = [join(desk, 'out'), join(desk, 'files'), join(desk, 'config')];
  const key = async (path: string): Promise<string> => {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    return await readFile(`${path}.pub`, 'utf8');
  };
  for (const folder of [join(out, 'documents'), join(out, 'secrets'), files]) await mkdir(folder, { recursive: true });
  const operator = await key(join(desk, 'id'));
  const folderOf = (server: string): string => `/run/ssh-${server}`;
  const hosts: string[] = [];
  for (const [server, address] of Object.entries(addresses)) {
    const shared = join(folderOf(server), 'shared');
    await mkdir(shared, { recursive: true });
    hosts.push(`${address} ${await key(join(shared, 'host'))}`);
    await writeFile(join(shared, 'authorized_keys'), operator);
  }
  const known = join(desk, 'known_hosts');
  await writeFile(known, hosts.join(''));
  const settings = {
    User: 'root',
    IdentityFile: join(desk, 'id'),
    UserKnownHostsFile: known,
    GlobalKnownHostsFile: '/dev/null',
  };
  await writeFile(
    config,
    Object.entries(settings)
      .map((words) => `${words.join(' ')}\n`)
      .join(''),
  );
  await copyFile(join(here, 'systemctl'), join(desk, 'systemctl'));

  const children = new Map<string, ChildProcess>();
  const stop = (server: string): void => {
    const pid = children.get(server)?.pid;
    children.delete(server);
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  };
  const start = async (server: string): Promise<void> => {
    const address = addresses[server] ?? '';
    const inside = [join(here, 'ssh-server.sh'), folderOf(server), root, salt.folder, join(desk, 'systemctl'), address];
    children.set(server, spawn('unshare', ['--mount', 'sh', ...inside], { detached: true, stdio: 'ignore' }));
    const answers = () =>
      run('ssh', ['-F', config, '-o', 'BatchMode=yes', address, 'true']).then(
        () => true,
        () => false,
      );
    await eventually(`${server} answers`, answers, { timeoutMs: 60_000, everyMs: 200 });
  };
  await Promise.all(Object.keys(addresses).map(start));
  return {
    reach: (from) =>
      reachBySsh({
        folder: out,
        salt: join(here, '../../../salt'),
        addressOf: (server) => addresses[server],
        config,
        ...(from === undefined ? {} : { files: from }),
      }),
    out,
    files,
    config,
    put: (document) => writeFile(join(out, 'documents', `${document.server.id}.json`), JSON.stringify(document)),
    textOf: (server, path) => readFile(join(folderOf(server), 'up', path), 'utf8').catch(() => undefined),
    say: async (server, command) => (await run('ssh', ['-F', config, addresses[server] ?? '', command])).stdout,
    stop,
    start,
    async doubt(server) {
      const others = hosts.filter((line) => !line.startsWith(`${addresses[server]} `));
      await writeFile(known, [`${addresses[server]} ${operator}`, ...others].join(''));
    },
    end: () => {
      for (const server of children.keys()) stop(server);
    },
  };
}
