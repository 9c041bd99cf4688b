import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Network } from '../../../lab/net/network.ts';
import { attributesKey, sortRoutes } from '../../../src/bgp/diff.ts';
import { announceCommands, endOfRib, type Session, showAdjRibOut, withdrawCommands } from '../../../src/bgp/encode.ts';
import { lineSplitter } from '../../../src/bgp/lines.ts';
import { AnswerLost, CommandPipe } from '../../../src/bgp/relay/pipe.ts';
import { renderEnvironment } from '../../../src/bgp/render/config.ts';
import type { Route } from '../../../src/bgp/route.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Exabgp, startExabgp } from '../../support/daemons/exabgp.ts';
import { route } from './world.ts';

// The encoder's commands, given to the real ExaBGP 4.2. No session is up: the tests read ExaBGP's outgoing tables.
const four: Session = { address: '127.0.0.2', family: 4, localAsn: 65011 };
const six: Session = { address: '::2', family: 6, localAsn: 65011 };
const neighbor = ({ address, family }: Session): string => `neighbor ${address} {
  router-id 10.1.0.11; local-address ${family === 4 ? '127.0.0.1' : '::1'}; local-as 65011; peer-as 65010;
  family { ipv${family} unicast; } api { processes [ child ]; neighbor-changes; }
}`;

const network = new Network();
let directory = '';
let exabgp: Exabgp;
let socket: Socket;
let pipe: CommandPipe;

beforeAll(async () => {
  await network.addNamespace('contract');
});
afterAll(async () => {
  await network.destroy();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tideline-contract-'));
  const child = fileURLToPath(new URL('child.ts', import.meta.url));
  const path = join(directory, 'c.sock');
  exabgp = await startExabgp({
    network,
    namespace: 'contract',
    directory,
    config: {
      text: `process child { run ${process.execPath} ${child} ${path}; encoder json; }\n${neighbor(four)}\n${neighbor(six)}`,
    },
    environment: { text: renderEnvironment({ address: { family: 4, text: '127.0.0.1' } }) },
    relaySocket: path,
  });
  socket = createConnection(path);
  socket.on('error', () => undefined); // The tests end ExaBGP while its answers are unread.
  socket.setEncoding('utf8');
  pipe = new CommandPipe({
    clock: systemClock,
    onSession: () => {},
    onStray: () => {},
    write: (line, taken) => socket.write(line, () => taken()),
  });
  socket.on('data', lineSplitter({ maxLength: 1 << 20, onLine: (line) => pipe.receive(line), onOverlong: () => {} }));
});
afterEach(async () => {
  socket.destroy();
  await exabgp.stop();
  await rm(directory, { recursive: true, force: true });
});

async function held(session: Session): Promise<readonly Route[]> {
  const { ok, output } = await pipe.send(showAdjRibOut);
  expect(ok).toBe(true);
  const lines = output.filter((line) => line.kind === 'route');
  expect(lines).toHaveLength(output.length);
  return sortRoutes(lines.filter((line) => line.neighbor === session.address).map((line) => line.route));
}

const plain = (routes: readonly Route[]): readonly string[] =>
  routes.map((entry) => `${entry.prefix.text} ${attributesKey(entry)}`);

it('writes every attribute so that it is read back unchanged', async () => {
  const routes = [
    route('10.10.1.0/26'),
    { ...route('10.10.2.0/26'), med: 0 },
    { ...route('10.10.3.0/26'), med: 4_294_967_295, localPreference: 7 },
    { ...route('10.10.4.0/26'), communities: [[65011, 1]] as const },
    {
      ...route('10.10.5.0/26'),
      communities: [
        [65011, 2],
        [65011, 1],
      ] as const,
      prepend: 1,
    },
    { ...route('10.10.6.0/26'), prepend: 16 },
    route('10.10.7.1/32'),
  ];
  for (const command of announceCommands(four, routes)) expect((await pipe.send(command.line)).ok).toBe(true);
  expect(plain(await held(four))).toEqual(plain(routes));
  expect(await held(six)).toEqual([]);
  for (const command of withdrawCommands(four, routes)) expect((await pipe.send(command.line)).ok).toBe(true);
  expect(await held(four)).toEqual([]);
});

it('keeps families apart', async () => {
  const mixed = [route('10.10.1.0/26'), route('2001:db8:10:1::/64')];
  for (const session of [four, six])
    for (const command of announceCommands(session, mixed)) expect((await pipe.send(command.line)).ok).toBe(true);
  expect(plain(await held(four))).toEqual(plain([route('10.10.1.0/26')]));
  expect(plain(await held(six))).toEqual(plain([route('2001:db8:10:1::/64')]));
});

it('takes 10,000 routes in groups, acknowledged in order', async () => {
  const routes = Array.from({ length: 10_000 }, (_, i) => route(`10.${i >> 8}.${i & 255}.0/26`));
  const commands = announceCommands(four, routes);
  expect(commands).toHaveLength(100);
  const answers = await Promise.all(commands.map((command) => pipe.send(command.line)));
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(await held(four)).toHaveLength(10_000);
});

it('answers `error` for a neighbour it does not have, for host bits, and for an end-of-RIB without a session', async () => {
  const [command] = announceCommands({ ...four, address: '127.0.0.9' }, [route('10.10.1.0/26')]);
  expect((await pipe.send(command?.line ?? '')).ok).toBe(false);
  expect((await pipe.send('neighbor 127.0.0.2 announce attributes next-hop 10.1.0.11 nlri 10.10.1.1/26')).ok).toBe(
    false,
  );
  expect((await pipe.send(endOfRib(four))).ok).toBe(false);
  expect(await held(four)).toEqual([]);
});

it('finds its place again after a command that is never answered', async () => {
  const lost = pipe.send('neighbor 127.0.0.2 announce attributes next-hop 10.1.0.11 nlri 10.10.300.0/26');
  const after = pipe.send(announceCommands(four, [route('10.10.1.0/26')])[0]?.line ?? '');
  // The answer to the second command was taken for that of the first one: from here on, every answer is matched one command too
  // early.
  expect((await lost).ok).toBe(true);
  await expect(after).rejects.toThrow(AnswerLost);
  expect(await pipe.resync()).toEqual([]);
  expect(plain(await held(four))).toEqual(plain([route('10.10.1.0/26')]));
  expect((await pipe.send('nonsense')).ok).toBe(false);
});

it('makes an error of the line a killed relay left half-written', async () => {
  socket.write('neighbor 127.0.0.2 announce attributes next-hop 10.1.0.11 nlri 10.10.1.0/26 10.10.2.0');
  await pipe.resync();
  expect(await held(four)).toEqual([]);
  // ExaBGP does take lines: the next one is not swallowed by the error.
  const next = [route('10.10.3.0/26')];
  for (const command of announceCommands(four, next)) expect((await pipe.send(command.line)).ok).toBe(true);
  expect(plain(await held(four))).toEqual(plain(next));
});
