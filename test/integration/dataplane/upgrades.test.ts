import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backend, host, table, vip, World } from './world.ts';

/** Which requests become tunnels to a pod (RFC 9110, 7.8; RFC 6455, 4.2.1). The pod of this world upgrades whatever asks it to. */

let world: World;

beforeAll(async () => {
  world = await World.create();
  const answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  await world.plane.apply(
    table({
      hosts: [
        host('polite.example', { 'prefix /': 'n/polite/80' }),
        host('eager.example', { 'prefix /': 'n/eager/80' }),
      ],
      backends: [
        backend('n/polite/80', await world.pod('polite', 1)),
        backend('n/eager/80', await world.rawPod(2, answer)),
      ],
    }),
  );
});
afterAll(() => world.destroy());

/** The head of the answer, or as much as came before the connection ended. */
function headOf(name: string, ...fields: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(80, vip, () =>
      socket.write([`GET / HTTP/1.1`, `Host: ${name}`, ...fields, '', ''].join('\r\n')),
    );
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no head within 10 s: ${JSON.stringify(answer)}`)));
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

it.each([
  ['Connection: Upgrade', 'Upgrade: websocket'],
  ['Connection: keep-alive, Upgrade', 'Upgrade: WebSocket'],
  ['Connection: upgrade , keep-alive', 'Upgrade: websocket'],
  ['Connection: TE,\tUPGRADE', 'Upgrade: websocket'],
])('a request is upgraded whose connection names the upgrade: %s', async (...fields) => {
  for (const name of ['polite.example', 'eager.example'])
    expect(await headOf(name, ...fields)).toMatch(/^HTTP\/1\.1 101 /);
});

it.each([
  ['Upgrade: websocket', 'X-Nothing: else'],
  ['Upgrade: websocket', 'Connection: keep-alive'],
  ['Upgrade: websocket', 'Connection: close'],
  ['Upgrade: websocket', 'Connection: Upgrades'],
  ['Upgrade: websocket', 'Connection: x-upgrade, upgrade-x, "upgrade"'],
  ['Upgrade: websocket upgrade, upgrade', 'X-Nothing: else'],
  ['Upgrade: websocket, h2c', 'Connection: Upgrade'],
  ['Upgrade: h2c, websocket', 'Connection: Upgrade'],
  ['Upgrade: h2c', 'Connection: Upgrade'],
])('a request is an ordinary one otherwise, whatever the pod answers: %s, %s', async (...fields) => {
  expect(await headOf('polite.example', ...fields)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await headOf('eager.example', ...fields)).toBe('');
});
