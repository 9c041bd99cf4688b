import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import type { EdgeStatus } from '../../../src/model/status.ts';
import { get } from '../../../src/observe/ask.ts';
import { readTlsFiles, type TlsMaterial } from '../../../src/runtime/tls/material.ts';
import { createAuthority } from '../../support/authority.ts';
import { videoIngress } from '../../support/clusters/objects.ts';
import { watchRoutes } from '../../support/daemons/route-monitor.ts';
import { eventuallyWith } from '../../support/eventually.ts';
import { type TlsFolder, tlsFolder } from '../../support/tls-files.ts';
import { type Blade, vip, World } from './world.ts';

// Two blades that get certificates while they serve. The tests build on each other.
const authority = createAuthority('the rack');
const files = {
  one: tlsFolder(authority, { commonName: 'a blade', hosts: ['paris-blade-1'] }),
  two: tlsFolder(authority, { commonName: 'a blade', hosts: ['10.1.0.22'] }),
  foreign: tlsFolder(authority, { commonName: 'a blade', hosts: ['lyon-blade-1'] }),
  operator: tlsFolder(authority, { commonName: 'an operator' }),
};
const eventually = eventuallyWith({ timeoutMs: 45_000, everyMs: 100 });
let world: World;
let one: Blade;
let two: Blade;
let operator: TlsMaterial;
let imposter: Daemon | undefined;
const both = ['10.1.0.21', '10.1.0.22'];

async function status({ address, name: server }: Blade): Promise<EdgeStatus> {
  const access = { material: () => operator, grace: true };
  return JSON.parse(await get({ address, port: 9464, server }, { timeoutMs: 2000, access })) as EdgeStatus;
}

/** Starts the agent of a blade anew, with the certificate of this folder or without one. */
async function restart(blade: Blade, folder?: TlsFolder): Promise<void> {
  await blade.agent.stop();
  blade.startAgent(...(folder?.options ?? []));
  await eventually('the agent is in charge', async () => {
    const { vips, endpoint } = await status(blade);
    const announced = vips[0]?.announced === true && vips[0].fit;
    return announced && endpoint?.certificates === (folder === undefined ? 'none' : 'required');
  });
}

/** What a visitor with this address is told, without the head. */
async function visit(localAddress: string, hasCertificate: boolean): Promise<string> {
  const at = { host: one.address, port: 9464, localAddress };
  const anyServer = { checkServerIdentity: () => undefined };
  const socket = hasCertificate ? connectTls({ ...at, secureContext: operator.outward, ...anyServer }) : connect(at);
  let told = '';
  socket
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
  socket.write('GET /status HTTP/1.0\r\n\r\n');
  await once(socket, 'close').catch(() => undefined);
  return told.split('\r\n\r\n').slice(1).join();
}

const hears = async (blade: Blade): Promise<readonly string[]> => (await status(blade)).peers.map((peer) => peer.blade);
const routed = (addresses: readonly string[]): Promise<unknown> =>
  eventually(`${addresses.join()} are routed to`, async () => (await world.routed()).join() === addresses.join());

beforeAll(async () => {
  operator = await readTlsFiles(files.operator.files);
  world = await World.create({
    'web.yaml': [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web', namespace: 'video' },
        spec: { ports: [{ port: 80 }] },
      },
      videoIngress('web', 'www.video.example', {}),
    ],
  });
  [one, two] = world.blades;
  await world.pod('tenant', 5);
  await promisify(execFile)('ip', ['address', 'add', '10.9.0.99/24', 'dev', 'up0']);
  await routed(both);
});
afterAll(async () => {
  await imposter?.stop();
  await world?.destroy();
  for (const folder of Object.values(files)) folder.remove();
});

describe('while one blade has a certificate and the other none', () => {
  it('neither is believed, and an unfit one keeps the VIP', async () => {
    await restart(one, files.one);
    await eventually(
      'neither hears the other',
      async () => [...(await hears(one)), ...(await hears(two))].length === 0,
    );
    expect((await status(one)).peersNotBelieved).toMatchObject([{ blade: 'paris-blade-2', reason: 'PeerNotBelieved' }]);
    const changes = await watchRoutes(world.network, 'tor');
    await two.nginx.stop();
    await eventually('the unfit one knows of no other', async () => {
      const [state] = (await status(two)).vips;
      return state?.reasons.includes('LastAnnouncer') === true && state.announced;
    });
    expect((await changes()).filter(({ text }) => text.includes(vip))).toEqual([]);
    await two.startNginx();
  });
});

describe('when both have one', () => {
  it('they hear each other, by name or by address, and an unfit one leaves the VIP to the other', async () => {
    await restart(two, files.two);
    await eventually('both hear', async () => [...(await hears(one)), ...(await hears(two))].length === 2);
    expect((await status(one)).peersNotBelieved).toEqual([]);
    await two.nginx.stop();
    await routed([one.address]);
    await two.startNginx();
    await routed(both);
  });

  it.each([
    ['a pod of a tenant, even with a certificate', '10.10.1.5', true, ''],
    ['a client from the Internet, even with a certificate', '10.9.0.99', true, ''],
    ['who is in a named network and has no certificate', '10.9.0.2', false, 'TlsRequired\n'],
  ])('%s, is not answered', async (_, from, hasCertificate, told) => {
    expect(await visit(from, hasCertificate)).toBe(told);
  });

  it('an operator in a named network is answered', async () => {
    expect(await visit('10.9.0.2', true)).toContain('"agent":"edge"');
  });

  it('a blade of another pool that takes the address of a peer is not believed: the VIP stays', async () => {
    await two.agent.stop();
    const script = join(world.folder, 'imposter.mjs');
    const answer = JSON.stringify({ blade: two.name, vips: [{ address: vip, fit: true, announced: true }] });
    const { cert, key } = files.foreign.files;
    await writeFile(
      script,
      `import { createServer } from 'node:https';
       import { readFileSync } from 'node:fs';
       const identity = { cert: readFileSync('${cert}'), key: readFileSync('${key}') };
       createServer(identity, (_, response) => response.end('${answer}')).listen(9464, '${two.address}');`,
    );
    imposter = startDaemon({
      network: world.network,
      namespace: two.namespace,
      command: process.execPath,
      args: [script],
      logFile: join(world.folder, 'imposter.log'),
    });
    await eventually('it is named', async () =>
      (await status(one)).peersNotBelieved?.some(({ message }) => /lyon-blade-1.*\(ServerNotBelieved\)/.test(message)),
    );
    await one.nginx.stop();
    await eventually('it stays the last one', async () => {
      const [state] = (await status(one)).vips;
      return state?.reasons.includes('LastAnnouncer') === true && state.announced;
    });
    expect(await world.routed()).toContain(one.address);
  });
});
