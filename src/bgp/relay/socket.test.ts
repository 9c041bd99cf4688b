import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AgentMessage } from '../wire.ts';
import { type AgentSocket, openAgentSocket } from './socket.ts';

let directory = '';
let path = '';
let door: AgentSocket;
let received: AgentMessage[] = [];
let inCharge: boolean[] = [];
const clients: Socket[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tideline-socket-'));
  path = join(directory, 'bgp.sock');
  received = [];
  inCharge = [];
  writeFileSync(path, 'left by a relay that died');
  door = openAgentSocket({
    path,
    greeting: () => [{ type: 'held', routes: [], fixed: [] }],
    onMessage: (message) => received.push(message),
    onAgent: (present) => inCharge.push(present),
    onProblem: () => {},
  });
  await vi.waitFor(() => expect(statSync(path).isSocket()).toBe(true));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await door.close();
  rmSync(directory, { recursive: true, force: true });
});

function connect(): { readonly say: (text: string) => void; readonly heard: string[]; readonly closed: () => boolean } {
  const socket = createConnection(path);
  clients.push(socket);
  const heard: string[] = [];
  let closed = false;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => heard.push(...chunk.trimEnd().split('\n')));
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  return { say: (text) => socket.write(text), heard, closed: () => closed };
}

it('replaces a stale file by a socket for its owner alone, and greets', async () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const client = connect();
  await vi.waitFor(() => expect(client.heard).toEqual(['{"type":"held","routes":[],"fixed":[]}']));
});

const desired = '{"type":"desired","revision":1,"complete":true,"routes":[]}\n';

it('lets the newer agent win and tells the older, whose last words do not count', async () => {
  const [older, listener, newer] = [connect(), connect(), connect()];
  older.say(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  newer.say(desired);
  await vi.waitFor(() => expect(older.heard).toContain('{"type":"replaced"}'));
  older.say('{"type":"renew"}\n');
  await vi.waitFor(() => expect(older.closed()).toBe(true));
  newer.say('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received.map(({ type }) => type)).toEqual(['desired', 'desired', 'renew']));
  expect(listener.closed()).toBe(false);
  expect(inCharge).toEqual([true]);
  clients[2]?.destroy();
  await vi.waitFor(() => expect(inCharge).toEqual([true, false]));
});

it('lets nobody but the agent renew the lease, and a person read back without taking its place', async () => {
  const [agent, person] = [connect(), connect()];
  agent.say(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  person.say('{"type":"renew"}\n{"type":"read"}\n');
  await vi.waitFor(() => expect(received.map(({ type }) => type)).toEqual(['desired', 'read']));
  agent.say('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received).toHaveLength(3));
  expect([agent.closed(), agent.heard.length]).toEqual([false, 1]);
});

it.each([
  ['removed', () => rmSync(path)],
  ['replaced', () => [rmSync(path), writeFileSync(path, 'by somebody')]],
  ['removed with its folder, which comes back', () => [rmSync(directory, { recursive: true }), mkdirSync(directory)]],
])('listens again when its path was %s, and keeps who is connected', async (_, harm) => {
  const older = connect();
  older.say(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  harm();
  await vi.waitFor(() => expect(statSync(path).isSocket()).toBe(true), 5000);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const newer = connect();
  await vi.waitFor(() => expect(newer.heard).toHaveLength(1));
  older.say('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received).toHaveLength(2));
});

it('refuses garbage and goes on', async () => {
  const client = connect();
  client.say('garbage\n{"type":"read"}\n');
  await vi.waitFor(() => expect(received).toEqual([{ type: 'read' }]));
  expect(client.heard.join()).toContain('BadMessage');
});

it('takes a message in pieces', async () => {
  const client = connect();
  client.say('{"type":');
  await vi.waitFor(() => expect(client.heard).toHaveLength(1));
  client.say('"read"}\n');
  await vi.waitFor(() => expect(received).toEqual([{ type: 'read' }]));
});
