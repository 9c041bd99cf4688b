import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AgentMessage } from '../wire.ts';
import { type AgentSocket, openAgentSocket } from './socket.ts';

let directory = '';
let path = '';
let agentSocket: AgentSocket;
let received: AgentMessage[] = [];
let inCharge: boolean[] = [];
let ofAgent: boolean[] = [];
const clients: Socket[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tideline-socket-'));
  path = join(directory, 'bgp.sock');
  received = [];
  inCharge = [];
  ofAgent = [];
  writeFileSync(path, 'left by a relay that died');
  agentSocket = openAgentSocket({
    path,
    greeting: () => [{ type: 'held', routes: [], fixed: [] }],
    onMessage: (message, ofTheAgent) => {
      received.push(message);
      ofAgent.push(ofTheAgent);
    },
    onAgent: (present) => inCharge.push(present),
    onProblem: () => {},
  });
  await vi.waitFor(() => expect(statSync(path).isSocket()).toBe(true));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await agentSocket.close();
  rmSync(directory, { recursive: true, force: true });
});

/** `halfOpen`: a client that goes on to send after the relay has ended its side. */
function connect(halfOpen = false): {
  readonly send: (text: string, taken?: () => void) => void;
  readonly lines: string[];
  readonly closed: () => boolean;
} {
  const socket = createConnection({ path, allowHalfOpen: halfOpen });
  clients.push(socket);
  const lines: string[] = [];
  let closed = false;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => lines.push(...chunk.trimEnd().split('\n')));
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  return { send: (text, taken) => socket.write(text, taken), lines, closed: () => closed };
}

it('replaces a stale file by a socket for its owner alone, and greets', async () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const client = connect();
  await vi.waitFor(() => expect(client.lines).toEqual(['{"type":"held","routes":[],"fixed":[]}']));
});

const desired = '{"type":"desired","revision":1,"complete":true,"routes":[]}\n';

it('lets the newer agent win and tells the older one, whose later messages do not count', async () => {
  const [older, listener, newer] = [connect(), connect(), connect()];
  older.send(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  newer.send(desired);
  await vi.waitFor(() => expect(older.lines).toContain('{"type":"replaced"}'));
  older.send('{"type":"renew"}\n');
  await vi.waitFor(() => expect(older.closed()).toBe(true));
  newer.send('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received.map(({ type }) => type)).toEqual(['desired', 'desired', 'renew']));
  expect(listener.closed()).toBe(false);
  expect(inCharge).toEqual([true]);
  clients[2]?.destroy();
  await vi.waitFor(() => expect(inCharge).toEqual([true, false]));
});

it('takes no set from an agent that was replaced, and leaves the newer one in charge', async () => {
  const [older, newer] = [connect(true), connect()];
  older.send(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  newer.send(desired);
  await vi.waitFor(() => expect(older.lines).toContain('{"type":"replaced"}'));
  await new Promise<void>((taken) => older.send(desired, taken));
  newer.send('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received.at(-1)).toEqual({ type: 'renew' }));
  expect(received.map(({ type }) => type)).toEqual(['desired', 'desired', 'renew']);
  expect(newer.lines).not.toContain('{"type":"replaced"}');
});

it('lets nobody but the agent renew the lease, and a person read back without taking its place', async () => {
  const [agent, person] = [connect(), connect()];
  agent.send(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  person.send('{"type":"renew"}\n{"type":"read"}\n');
  await vi.waitFor(() => expect(received.map(({ type }) => type)).toEqual(['desired', 'read']));
  agent.send('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received).toHaveLength(3));
  expect(ofAgent).toEqual([true, false, true]);
  expect([agent.closed(), agent.lines.length]).toEqual([false, 1]);
});

it.each([
  ['removed', () => rmSync(path)],
  ['replaced', () => [rmSync(path), writeFileSync(path, 'by somebody')]],
  ['removed with its folder, which comes back', () => [rmSync(directory, { recursive: true }), mkdirSync(directory)]],
])('listens again when its path was %s, and keeps who is connected', async (_, harm) => {
  const older = connect();
  older.send(desired);
  await vi.waitFor(() => expect(received).toHaveLength(1));
  harm();
  await vi.waitFor(() => expect(statSync(path).isSocket()).toBe(true), 5000);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const newer = connect();
  await vi.waitFor(() => expect(newer.lines).toHaveLength(1));
  older.send('{"type":"renew"}\n');
  await vi.waitFor(() => expect(received).toHaveLength(2));
});

it('refuses garbage and goes on', async () => {
  const client = connect();
  client.send('garbage\n{"type":"read"}\n');
  await vi.waitFor(() => expect(received).toEqual([{ type: 'read' }]));
  await vi.waitFor(() => expect(client.lines.join()).toContain('BadMessage'));
});

it('takes a message in pieces', async () => {
  const client = connect();
  client.send('{"type":');
  await vi.waitFor(() => expect(client.lines).toHaveLength(1));
  client.send('"read"}\n');
  await vi.waitFor(() => expect(received).toEqual([{ type: 'read' }]));
});
