import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { listeningLog } from '../../../test/support/listening-log.ts';
import { parseAddress, parsePrefix } from '../../model/address.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { Registry } from '../../runtime/metrics.ts';
import { type AgentSocket, openAgentSocket } from '../relay/socket.ts';
import type { Route } from '../route.ts';
import type { Speaker } from '../speaker.ts';
import type { AgentMessage, RelayMessage, RelayState } from '../wire.ts';
import { createSpeaker } from './speaker.ts';

let directory = '';
let relaySocket: AgentSocket | undefined;
let speaker: Speaker;
const speakers: Speaker[] = [];
let registry: Registry;
let hasAgent = false;
let received: AgentMessage[] = [];

const state: RelayState = {
  type: 'state',
  phase: 'synced',
  revision: 0,
  settled: true,
  neighbors: [{ address: '10.1.0.1', asn: 65010, family: 4, up: true, endOfRib: false }],
  exabgpSilent: false,
  hasAgent: false,
  leaseExpired: false,
  rejected: [],
};

function route(text: string): Route {
  const [prefix, nextHop] = [parsePrefix(text), parseAddress('10.1.0.11')];
  if (prefix === undefined || nextHop === undefined) throw new Error(text);
  return { prefix, nextHop, class: 'pods', because: 'test' };
}

/** Opens a relay that acknowledges every desired set as if ExaBGP held it. */
function openRelay(held: readonly Route[] = []): void {
  const greeting = (): readonly RelayMessage[] => [
    { type: 'held', routes: held, fixed: ['10.1.0.11/32'] },
    { ...state, hasAgent },
  ];
  relaySocket = openAgentSocket({
    path: join(directory, 'bgp.sock'),
    greeting,
    onProblem: () => {},
    onAgent: (present) => {
      hasAgent = present;
      relaySocket?.publish({ ...state, hasAgent, revision: 0 });
    },
    onMessage: (message) => {
      received.push(message);
      if (message.type !== 'desired') return;
      relaySocket?.publish({ type: 'held', routes: message.routes, fixed: ['10.1.0.11/32'] });
      relaySocket?.publish({ ...state, hasAgent, revision: message.revision });
    },
  });
}

/** The limits of the site and the terms of the lease, which a test may change under a running speaker. */
let allowedPods: string;
let leaseSeconds: number;
function newSpeaker({ clock = systemClock, log = silentLog }: { clock?: Clock; log?: Log } = {}): Speaker {
  const created = createSpeaker({
    socketPath: join(directory, 'bgp.sock'),
    limits: () => ({
      allowed: { pods: [parsePrefix(allowedPods)].filter((pods) => pods !== undefined), server: [], vip: [] },
      maxRoutes: 10,
      maxAnnouncementsPerMinute: 10,
      maxWithdrawalsPerMinute: 10,
    }),
    lease: () => ({ seconds: leaseSeconds, keeper: false }),
    clock,
    log,
    registry,
    verifyEveryMs: 100,
  });
  speakers.push(created);
  return created;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tideline-driver-'));
  received = [];
  hasAgent = false;
  allowedPods = '10.10.0.0/16';
  leaseSeconds = 0.2;
  registry = new Registry();
  speaker = newSpeaker();
});
afterEach(async () => {
  await Promise.all(speakers.splice(0).map((one) => one.stop()));
  await relaySocket?.close();
  rmSync(directory, { recursive: true, force: true });
});

const sets = () => received.filter((message) => message.type === 'desired');

it('waits for a relay, and sends nothing before its first desired set', async () => {
  speaker.start();
  expect(speaker.status().relay).toBe('disconnected');
  openRelay();
  await vi.waitFor(() => expect(speaker.status().relay).toBe('synced'));
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(received).toEqual([]);
  speaker.setDesired([]);
  await vi.waitFor(() => expect(received.filter(({ type }) => type === 'read').length).toBeGreaterThan(1));
});

it('settles, renews the lease, and sends the whole set again to a new relay', async () => {
  openRelay();
  speaker.start();
  speaker.setDesired([route('10.10.1.0/26'), route('172.16.0.0/26')]);
  await speaker.settled(5000);
  expect(sets()).toMatchObject([
    { complete: true, lease: { seconds: 0.2 }, routes: [{ prefix: { text: '10.10.1.0/26' } }] },
  ]);
  await vi.waitFor(() => expect(received.filter(({ type }) => type === 'renew').length).toBeGreaterThan(2));
  const metrics = await registry.metrics();
  expect(metrics).toContain('tideline_bgp_relay_connected 1');
  expect(metrics).toContain('tideline_bgp_session_up{neighbor="10.1.0.1"} 1');
  expect(metrics).toContain('tideline_bgp_routes{state="announced"} 1');
  expect(metrics).toContain('tideline_bgp_refused_routes{reason="PrefixOutsideSite"} 1');
  // The refused route is wanted, and nobody hears of it.
  expect(metrics).toContain('tideline_bgp_route_differences 1');

  await relaySocket?.close();
  await vi.waitFor(() => expect(speaker.status().relay).toBe('disconnected'));
  received = [];
  openRelay();
  await vi.waitFor(() => expect(sets()).toHaveLength(1));
  await speaker.settled(5000);
});

it.each([
  ['shortened', 30, 5, true, 6],
  ['prolonged', 5, 30, true, 1],
  ['to be prolonged, which the relay has not heard yet', 5, 30, false, 6],
])('renews in time when the lease of a running blade is %s', async (_, before, after, isSent, renewals) => {
  const clock = new FakeClock();
  leaseSeconds = before;
  registry = new Registry();
  speaker = newSpeaker({ clock });
  openRelay();
  // The clock stands still: a first connection that fails would never be tried again.
  await vi.waitFor(() => expect(existsSync(join(directory, 'bgp.sock'))).toBe(true));
  speaker.start();
  speaker.setDesired([]);
  await speaker.settled(5000);
  leaseSeconds = after;
  if (isSent) {
    speaker.reconsider();
    await speaker.settled(5000);
  }
  await clock.advance(6000);
  // Messages arrive in order, so that those of 6 seconds are there when the last order to read back is.
  await vi.waitFor(() => expect(received.filter(({ type }) => type === 'read')).toHaveLength(60));
  expect(received.filter(({ type }) => type === 'renew')).toHaveLength(renewals);
  expect(sets().at(-1)).toMatchObject({ lease: { seconds: isSent ? after : before } });
});

it('starts from what is held: a smaller first set is a withdrawal like any other', async () => {
  openRelay(Array.from({ length: 10 }, (_, i) => route(`10.10.${i}.0/26`)));
  speaker.start();
  speaker.setDesired([]);
  await speaker.settled(5000);
  expect(sets()[0]?.routes).toHaveLength(10);
  expect(speaker.status().refusals[0]?.reason).toBe('MassWithdrawal');
  expect(speaker.status().announced).toHaveLength(10);
  speaker.setDesired([], { confirmed: true });
  await vi.waitFor(() => expect(speaker.status().announced).toEqual([]));
});

it('obeys limits that were edited while it runs, and says which address was rendered', async () => {
  openRelay();
  speaker.start();
  const wanted = [route('10.10.1.0/26'), route('10.20.1.0/26')];
  speaker.setDesired(wanted);
  await speaker.settled(5000);
  expect(speaker.status()).toMatchObject({
    announced: [{ prefix: { text: '10.10.1.0/26' } }],
    refusals: [{ prefix: '10.20.1.0/26', reason: 'PrefixOutsideSite' }],
    fixed: [{ text: '10.1.0.11/32' }],
  });
  allowedPods = '10.0.0.0/8';
  speaker.reconsider();
  await vi.waitFor(() => expect(speaker.status()).toMatchObject({ announced: [{}, {}], refusals: [] }));
});

it('keeps the desired set while the relay reads back, and sends it afterwards', async () => {
  openRelay();
  speaker.start();
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(5000);
  relaySocket?.publish({ ...state, revision: 1, phase: 'syncing' });
  await vi.waitFor(() => expect(speaker.status().relay).toBe('syncing'));
  speaker.setDesired([route('10.10.2.0/26')]);
  expect(sets()).toHaveLength(1);
  relaySocket?.publish({ ...state, revision: 1 });
  await speaker.settled(5000);
  expect(sets()[1]?.routes.map(({ prefix }) => prefix.text)).toEqual(['10.10.2.0/26']);
});

it('does not take the acknowledgement of an agent before it for its own', async () => {
  openRelay();
  speaker.start();
  await vi.waitFor(() => expect(speaker.status().relay).toBe('synced'));
  relaySocket?.publish({ ...state, revision: 41 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(5000);
  expect(sets()).toMatchObject([{ revision: 42 }]);
});

it('stays away when it was replaced, until the other agent is gone', async () => {
  openRelay();
  speaker.start();
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(5000);
  registry = new Registry();
  const newer = newSpeaker();
  newer.start();
  newer.setDesired([route('10.10.2.0/26')]);
  await newer.settled(5000);
  // Longer than the pause before a replaced agent connects again.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(speaker.status().relay).toBe('synced');
  speaker.setDesired([route('10.10.3.0/26')]);
  expect(sets()).toHaveLength(2);
  await newer.stop();
  await speaker.settled(5000);
  expect(
    sets()
      .at(-1)
      ?.routes.map(({ prefix }) => prefix.text),
  ).toEqual(['10.10.3.0/26']);
});

it('rejects when ExaBGP does not acknowledge in time', async () => {
  speaker.start();
  speaker.setDesired([]);
  await expect(speaker.settled(50)).rejects.toThrow('has not acknowledged');
});

it('tells the agent that takes charge of routes which yield, in its log and its status', async () => {
  const yielded = { sinceMs: Date.UTC(2026, 0, 2) };
  relaySocket = openAgentSocket({
    path: join(directory, 'bgp.sock'),
    greeting: () => [
      { type: 'held', routes: [], fixed: [] },
      { ...state, yielded },
    ],
    onProblem: () => {},
    onAgent: () =>
      relaySocket?.publish({ ...state, hasAgent: true, yielded: { ...yielded, untilMs: yielded.sinceMs + 5 } }),
    onMessage: () => {},
  });
  const lines: string[] = [];
  registry = new Registry();
  const successor = newSpeaker({ log: listeningLog(lines) });
  successor.start();
  successor.setDesired([]);
  await vi.waitFor(() => expect(successor.status().yielded).toEqual({ ...yielded, untilMs: yielded.sinceMs + 5 }));
  expect(lines.filter((line) => line.startsWith('warn no agent was in charge of the routes RoutesYield'))).toHaveLength(
    1,
  );
  const metrics = await registry.metrics();
  expect(metrics).toContain('tideline_bgp_yielding 0');
  expect(metrics).toContain(`tideline_bgp_yield_timestamp_seconds{moment="start"} ${yielded.sinceMs / 1000}`);
  expect(metrics).toContain(`tideline_bgp_yield_timestamp_seconds{moment="end"} ${yielded.sinceMs / 1000 + 0.005}`);
});

it('says in a metric that the routes yield now', async () => {
  relaySocket = openAgentSocket({
    path: join(directory, 'bgp.sock'),
    greeting: () => [{ ...state, yielded: { sinceMs: 5000 } }],
    onProblem: () => {},
    onAgent: () => {},
    onMessage: () => {},
  });
  speaker.start();
  await vi.waitFor(() => expect(speaker.status().yielded).toEqual({ sinceMs: 5000 }));
  const metrics = await registry.metrics();
  expect(metrics).toContain('tideline_bgp_yielding 1');
  expect(metrics).toContain('tideline_bgp_yield_timestamp_seconds{moment="start"} 5');
  expect(metrics).not.toContain('moment="end"');
});

it('asks for routes that yield with the whole set, also to a new relay, and ends that the same way', async () => {
  openRelay();
  speaker.start();
  speaker.setYields(true);
  speaker.setDesired([route('10.10.1.0/26')]);
  await speaker.settled(5000);
  expect(sets()).toMatchObject([{ yields: true }]);
  await relaySocket?.close();
  await vi.waitFor(() => expect(speaker.status().relay).toBe('disconnected'));
  received = [];
  openRelay();
  await vi.waitFor(() => expect(sets()).toMatchObject([{ yields: true }]));
  speaker.setYields(false);
  speaker.setYields(false);
  await speaker.settled(5000);
  expect(sets()).toHaveLength(2);
  expect(sets()[1]).not.toHaveProperty('yields');
});
