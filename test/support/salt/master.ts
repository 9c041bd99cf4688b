import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerDocument } from '../../../src/planes/fleet/compile/document.ts';
import { findSalt } from '../../../tools/salt/installation.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../../..');
const scratch = join(import.meta.dirname, 'scratch.sh');

/** A Salt master and its minions, each on a copy of this machine; what they have in common is the loopback of the test's network. */
export interface SaltFleet {
  /** The configuration of the master that runs now. */
  readonly configFolder: () => string;
  /** The program `salt`. */
  readonly salt: string;
  /** Where the master reads documents. */
  readonly documents: string;
  readonly put: (document: ServerDocument) => Promise<void>;
  /** The text of a file of a minion; undefined when it has none. */
  readonly textOf: (minion: string, path: string) => Promise<string | undefined>;
  readonly stopMinion: (minion: string) => void;
  readonly startMinion: (minion: string) => void;
  /** Kills the master, and starts another one that has nothing of it but its keys. */
  readonly replaceMaster: () => Promise<void>;
  readonly end: () => void;
}

/** `/run` is a tmpfs of the test's own (tools/isolated), and ends with it. Keys are preseeded: nothing is accepted on sight. */
export async function saltFleet(ids: readonly string[]): Promise<SaltFleet> {
  const { folder: installation, saltCall } = await findSalt(process.env);
  const program = (name: string): string => saltCall.replace(/salt-call$/, name);
  const documents = '/run/salt-documents';
  await mkdir(documents, { recursive: true });
  const children = new Map<string, ChildProcess>();
  const start = (name: string, command: string, args: readonly string[]): void => {
    children.set(name, spawn(command, args, { detached: true, stdio: 'ignore' }));
  };
  const stop = (name: string): void => {
    const pid = children.get(name)?.pid;
    children.delete(name);
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  };

  let generation = 0;
  const masterFolder = (): string => `/run/salt-master-${generation}`;
  const startMaster = async (): Promise<void> => {
    const folder = masterFolder();
    await mkdir(join(folder, 'pki', 'minions'), { recursive: true });
    await writeFile(join(folder, 'master'), JSON.stringify(masterSettings(folder, documents)));
    start('master', program('salt-master'), ['--config-dir', folder, '--log-level=error']);
  };
  await mkdir(join(masterFolder(), 'pki', 'minions'), { recursive: true });
  const masterKey = await makeKey(join(masterFolder(), 'pki', 'master'));
  const minionFolder = (id: string): string => `/run/salt-${id}`;
  const startMinion = (id: string): void => {
    const inside = [scratch, minionFolder(id), repository, installation, program('salt-minion')];
    start(id, 'unshare', ['--mount', 'sh', ...inside, '--config-dir=/mnt', '--log-level=error']);
  };
  for (const id of ids) {
    const pki = join(minionFolder(id), 'shared', 'pki');
    await mkdir(pki, { recursive: true });
    await writeFile(join(minionFolder(id), 'shared', 'minion'), JSON.stringify({ id, ...minionSettings }));
    await writeFile(join(masterFolder(), 'pki', 'minions', id), await makeKey(join(pki, 'minion')));
    await writeFile(join(pki, 'minion_master.pub'), masterKey);
    startMinion(id);
  }
  await startMaster();
  return {
    configFolder: masterFolder,
    salt: program('salt'),
    documents,
    put: (document) => writeFile(join(documents, `${document.server.id}.json`), JSON.stringify(document)),
    textOf: (id, path) => readFile(join(minionFolder(id), 'up', path), 'utf8').catch(() => undefined),
    stopMinion: stop,
    startMinion,
    async replaceMaster() {
      stop('master');
      const before = masterFolder();
      generation += 1;
      await mkdir(masterFolder());
      await cp(join(before, 'pki'), join(masterFolder(), 'pki'), { recursive: true });
      await rm(before, { recursive: true, force: true });
      await startMaster();
    },
    end: () => {
      for (const name of children.keys()) stop(name);
    },
  };
}

/** Makes a key pair and resolves with the public key. */
async function makeKey(path: string): Promise<string> {
  await run('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', `${path}.pem`]);
  const { stdout } = await run('openssl', ['pkey', '-in', `${path}.pem`, '-pubout', '-out', `${path}.pub`]).then(() =>
    run('cat', [`${path}.pub`]),
  );
  return stdout;
}

const minionSettings = {
  master: '127.0.0.1',
  cachedir: '/mnt/cache',
  pki_dir: '/mnt/pki',
  log_file: '/mnt/log',
  sock_dir: '/mnt/sock',
  pidfile: '/mnt/pid',
  user: 'root',
  'systemd.scope': false,
  // Facts of a cloud and names are asked for on the network, which this machine has not.
  metadata_server_grains: false,
  enable_fqdns_grains: false,
};

function masterSettings(folder: string, documents: string): object {
  return {
    interface: '127.0.0.1',
    worker_threads: 2,
    user: 'root',
    cachedir: join(folder, 'cache'),
    pki_dir: join(folder, 'pki'),
    log_file: join(folder, 'log'),
    sock_dir: join(folder, 'sock'),
    pidfile: join(folder, 'pid'),
    file_roots: { base: [join(repository, 'salt/formulas')] },
    module_dirs: [join(repository, 'salt')],
    ext_pillar: [{ tideline: { folder: documents } }],
    enable_fqdns_grains: false,
  };
}
