import { join } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import { stillMissing } from '../missing.ts';
import type { Server } from './server.ts';

/**
 * Salt on servers of the lab: the virtual environment that `make salt` installed, which all servers share read-only (`sharedSalt`),
 * because Salt is on no root filesystem. Its Python is the server's, and its scripts name the folder that they were installed into, so
 * they are handed to the Python instead of being started by themselves.
 */

/** Where a server has Salt. */
const place = '/opt/salt';
const masterKeys = '/etc/salt/pki/master';
const programs = ['salt', 'salt-call', 'salt-key', 'salt-master', 'salt-minion', 'salt-run'] as const;

/** What a server needs as `shared` to have the Salt of this folder, in which there is `bin/salt-call`. */
export const sharedSalt = (installation: string): Readonly<Record<string, string>> => ({ [place]: installation });

/** Settings of Salt, as its configuration files have them. */
export type SaltSettings = Readonly<Record<string, unknown>>;

/**
 * A server of the lab asks nobody on the network what it is: there is neither a cloud nor a name server. Nor has each call of systemctl
 * a scope of its own, which keeps it from ending with the minion and takes half of the time of a unit's state.
 */
const everywhere: SaltSettings = { metadata_server_grains: false, enable_fqdns_grains: false, 'systemd.scope': false };

/** Gives a server the names of Salt's programs and the configuration of a minion; nothing is started. */
export async function installSalt(server: Server, minion: SaltSettings): Promise<void> {
  for (const program of programs) {
    const script = `#!/bin/sh\nexec ${place}/bin/python ${place}/bin/${program} "$@"\n`;
    await server.write(`/usr/local/bin/${program}`, script, 0o755);
  }
  await server.write('/etc/salt/minion', JSON.stringify({ ...everywhere, id: server.name, ...minion }));
}

/** Settings of a minion without a master: it reads the formulas itself. */
export const withoutMaster: SaltSettings = { file_client: 'local' };

/**
 * Runs a function by `salt-call --local` and resolves with its answer, also when states failed. Rejects when Salt gave no
 * answer, with its words.
 */
export async function saltCall(server: Server, ...args: readonly string[]): Promise<unknown> {
  const command = ['salt-call', '--local', '--out=json', '--log-level=error', ...args].map(quoted).join(' ');
  // It fails when states failed, and its answer says which; without an answer its errors say why.
  const text = await server.exec(`answer=$(${command}) || [ -n "$answer" ]; printf %s "$answer"`);
  return (JSON.parse(text) as { readonly local: unknown }).local;
}

/**
 * Starts a Salt master with these settings, whose minions are known before they ask. Keys are made where they are used; what
 * is carried between servers is public keys, so that nothing is accepted on sight. Resolves when every minion answers.
 */
export async function startSalt(
  master: { readonly server: Server; readonly address: string; readonly settings: SaltSettings },
  minions: readonly Server[],
): Promise<void> {
  const { server, address, settings } = master;
  await server.write('/etc/salt/master', JSON.stringify({ interface: address, worker_threads: 2, ...settings }));
  await makeKey(server, masterKeys, 'master');
  await startProgram(server, 'salt-master');
  await admitMinions({ server, address }, minions);
}

/** Lets minions begin, or begin again with another key, at a master that runs; resolves when every one of them answers. */
export async function admitMinions(
  { server, address }: { readonly server: Server; readonly address: string },
  minions: readonly Server[],
): Promise<void> {
  const masterKey = await makeKey(server, masterKeys, 'master');
  await Promise.all(
    minions.map(async (minion) => {
      const key = await makeKey(minion, '/etc/salt/pki/minion', 'minion');
      await minion.write('/etc/salt/minion.d/master.conf', JSON.stringify({ master: address }));
      await minion.write('/etc/salt/pki/minion/minion_master.pub', masterKey);
      await server.write(`${masterKeys}/minions/${minion.name}`, key);
      await startProgram(minion, 'salt-minion');
      await connected(minion);
    }),
  );
  const missing = await stillMissing(
    async () => {
      const answered = await saltOnMaster(
        server,
        minions.map(({ name }) => name),
        'test.ping',
      );
      const silent = minions.filter(({ name }) => answered.get(name) !== true).map(({ name }) => name);
      return silent.length === 0 ? undefined : `no answer from ${silent.join(', ')}`;
    },
    { clock: systemClock, timeoutMs: 120_000 },
  );
  if (missing !== undefined) throw new Error(`the Salt master ${server.name} has not all of its minions: ${missing}`);
}

/** A master that asks before a minion hears it waits for as long as a busy one may take. */
async function connected(minion: Server): Promise<void> {
  const publisher = "ss -Htn state established '( dport = :4505 )'";
  const missing = async (): Promise<string | undefined> =>
    (await minion.exec(publisher)).trim() === '' ? `${minion.name} does not listen to its master` : undefined;
  const word = await stillMissing(missing, { clock: systemClock, timeoutMs: 120_000, everyMs: 250 });
  if (word !== undefined) throw new Error(word);
}

/** Runs a function on minions by their master; resolves with the answer of each that gave one. */
export async function saltOnMaster(
  master: Server,
  minions: readonly string[],
  ...args: readonly string[]
): Promise<ReadonlyMap<string, unknown>> {
  const command = ['salt', '--out=json', '--static', '--log-level=error', '-L', minions.join(','), ...args];
  const text = await master.exec(`${command.map(quoted).join(' ')} || true`);
  const answers = text.trim().startsWith('{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : {};
  return new Map(Object.entries(answers));
}

/** Makes a key pair as Salt itself does, where Salt looks for it; resolves with the public key. */
async function makeKey(server: Server, folder: string, name: string): Promise<string> {
  const [secret, open] = [join(folder, `${name}.pem`), join(folder, `${name}.pub`)];
  return await server.exec(`umask 077; mkdir -p ${folder}
[ -e ${secret} ] || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ${secret} 2>/dev/null
openssl pkey -in ${secret} -pubout | tee ${open}`);
}

async function startProgram(server: Server, program: 'salt-master' | 'salt-minion'): Promise<void> {
  const unit = `[Unit]
Description=${program}
After=network.target
[Service]
Type=notify
NotifyAccess=all
LimitNOFILE=8192
KillMode=${program === 'salt-master' ? 'mixed' : 'process'}
ExecStart=/usr/local/bin/${program}
[Install]
WantedBy=multi-user.target
`;
  await server.write(`/etc/systemd/system/${program}.service`, unit);
  await server.exec(`systemctl daemon-reload; systemctl --quiet enable --now ${program}`);
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
