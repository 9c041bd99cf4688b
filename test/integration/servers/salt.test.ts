import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Network } from '../../../lab/net/network.ts';
import { findRoot } from '../../../lab/servers/root.ts';
import {
  installSalt,
  saltCall,
  saltOnMaster,
  sharedSalt,
  startSalt,
  withoutMaster,
} from '../../../lab/servers/salt.ts';
import { bootServer, type Server } from '../../../lab/servers/server.ts';
import { findSalt } from '../../../tools/salt/installation.ts';

const network = new Network();
const bridge = { namespace: 'switch', device: 'br0' };
const unique = `${Date.now() % 100_000}`;
let folder: string;
let master: Server;
let minions: readonly Server[];

/** A state that makes a file and starts a unit of systemd, so that both Salt and systemd are the real ones. */
const state = `/etc/made:
  file.managed:
    - contents: by salt
/etc/systemd/system/made.service:
  file.managed:
    - contents: "[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
made.service:
  service.running:
    - enable: true
    - watch:
      - file: /etc/made
`;

interface StateResult {
  readonly result: boolean | null;
  readonly changes: object;
}
const outcomes = (answer: unknown): readonly (readonly [boolean | null, boolean])[] =>
  Object.values(answer as Readonly<Record<string, StateResult>>).map(
    ({ result, changes }) => [result, Object.keys(changes).length > 0] as const,
  );

beforeAll(async () => {
  const [root, salt] = await Promise.all([findRoot(process.env), findSalt(process.env)]);
  folder = await mkdtemp(join(tmpdir(), 'tideline-salt-'));
  await mkdir(join(folder, 'states'));
  await writeFile(join(folder, 'states/made.sls'), state);
  await network.addNamespace(bridge.namespace);
  await network.batch(bridge.namespace, [`link add ${bridge.device} type bridge`, `link set ${bridge.device} up`]);
  const shared = { ...sharedSalt(salt.folder), '/srv/states': join(folder, 'states') };
  const boot = async (name: string, address: string): Promise<Server> => {
    const place = { root, folder: join(folder, name), network, bridge, addresses: [address], shared };
    const server = await bootServer({ name, ...place });
    await installSalt(server, { file_roots: { base: ['/srv/states'] } });
    return server;
  };
  [master, ...minions] = (await Promise.all([
    boot(`m${unique}`, '10.77.2.1/24'),
    boot(`a${unique}`, '10.77.2.2/24'),
    boot(`b${unique}`, '10.77.2.3/24'),
  ])) as [Server, ...Server[]];
});

afterAll(async () => {
  await Promise.all([master, ...(minions ?? [])].map(async (server) => await server?.remove()));
  await network.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe('Salt on servers of the lab', () => {
  test('applies states without a master', async () => {
    const apply = async (): Promise<unknown> => {
      await master.write('/etc/salt/minion.d/local.conf', JSON.stringify(withoutMaster));
      return await saltCall(master, 'state.apply', 'made');
    };
    expect(outcomes(await apply())).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect(await master.exec('cat /etc/made; systemctl is-active made.service')).toBe('by salt\nactive\n');
    expect(outcomes(await apply()).some(([, changed]) => changed)).toBe(false);
  });

  test('applies states by a master, which knows its minions by keys that were made on them', async () => {
    const settings = { file_roots: { base: ['/srv/states'] } };
    await startSalt({ server: master, address: '10.77.2.1', settings }, minions);
    const names = minions.map(({ name }) => name);
    const answers = await saltOnMaster(master, names, 'state.apply', 'made');
    expect([...answers.keys()].toSorted()).toEqual(names.toSorted());
    for (const answer of answers.values()) expect(outcomes(answer).every(([result]) => result === true)).toBe(true);
    for (const minion of minions) expect(await minion.exec('systemctl is-active made.service')).toBe('active\n');
    expect(await master.exec('salt-key --list=unaccepted --out=json')).toContain('"minions_pre": []');
  });
});
