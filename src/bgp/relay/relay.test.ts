import { beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeExabgp } from '../../../test/support/fake-exabgp.ts';
import { parsePrefix } from '../../model/address.ts';
import type { Route } from '../route.ts';
import { type AgentMessage, parseAgentMessage, type RelayMessage } from '../wire.ts';
import { CommandPipe } from './pipe.ts';
import { Relay } from './relay.ts';
import type { PeerSession } from './session.ts';

let clock: FakeClock;
let exabgp: FakeExabgp;
let published: RelayMessage[];
let problems: string[];
beforeEach(() => {
  problems = [];
  clock = new FakeClock();
  exabgp = new FakeExabgp();
  published = [];
});

function prefix(text: string): Route['prefix'] {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

const session: PeerSession = { address: '10.1.0.1', asn: 65010, family: 4, localAsn: 65011 };

async function startRelay(lease = { seconds: 5, keeper: false }, sessions = [session]): Promise<Relay> {
  const pipe = new CommandPipe({
    clock,
    onSession: (neighbor, state) => relay.sessionChanged(neighbor, state),
    onStray: () => relay.answersDisordered(),
    write: (line, taken) => {
      const answers = exabgp.answer(line.trimEnd());
      queueMicrotask(() => {
        taken();
        for (const answer of answers) pipe.receive(answer);
      });
    },
  });
  const relay: Relay = new Relay({
    clock,
    pipe,
    lease,
    yieldAfterMs: 90_000,
    sessions,
    fixed: [prefix('10.1.0.11/32')],
    vips: [prefix('192.0.2.10/32')],
    publish: (message) => published.push(message),
    onProblem: (message) => problems.push(message),
  });
  relay.start();
  await settle();
  return relay;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await clock.advance(0);
}

function desired(prefixes: readonly string[], complete = true): AgentMessage {
  const routes = prefixes.map((text) => ({
    prefix: text,
    nextHop: '10.1.0.11',
    class: text.startsWith('192') ? 'vip' : 'pods',
  }));
  const message = parseAgentMessage(JSON.stringify({ type: 'desired', revision: 1, complete, routes }));
  if (message === undefined) throw new Error('unreachable');
  return message;
}

const attributes = 'next-hop 10.1.0.11';
const endOfRibs = (): number => exabgp.commands.filter((line) => line.includes(' eor ')).length;

it('withdraws nothing but a VIP whose lease ran out, and sends no end-of-RIB, before an agent has sent a set', async () => {
  exabgp.rib.set('10.10.1.0/26', attributes).set('192.0.2.10/32', attributes).set('10.1.0.11/32', attributes);
  await startRelay();
  await clock.advance(4999);
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26', '192.0.2.10/32', '10.1.0.11/32']);
  await clock.advance(1);
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26', '10.1.0.11/32']);
  expect(endOfRibs()).toBe(0);
});

it('never touches a static route, and withdraws what the agent does not want', async () => {
  exabgp.rib.set('10.10.1.0/26', attributes).set('10.1.0.11/32', attributes);
  const relay = await startRelay();
  relay.receive(desired(['10.10.2.0/26']));
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.1.0.11/32', '10.10.2.0/26']);
  expect(exabgp.commands.filter((line) => line.includes('10.1.0.11/32'))).toEqual([]);
});

it('sends the end-of-RIB once, after the routes, and only when the set of the agent is complete', async () => {
  const relay = await startRelay();
  relay.receive(desired(['10.10.1.0/26'], false));
  await settle();
  expect(endOfRibs()).toBe(0);
  relay.receive(desired(['10.10.1.0/26', '10.10.2.0/26']));
  await settle();
  expect(exabgp.commands.at(-1)).toBe('neighbor 10.1.0.1 announce eor ipv4 unicast');
  relay.receive(desired(['10.10.1.0/26']));
  await settle();
  expect(endOfRibs()).toBe(1);
});

it('announces everything again on session up, reads back, and sends the end-of-RIB anew', async () => {
  const relay = await startRelay();
  relay.receive(desired(['10.10.1.0/26']));
  await settle();
  relay.sessionChanged('10.1.0.1', 'down');
  exabgp.rib.clear();
  await settle();
  relay.sessionChanged('10.1.0.1', 'up');
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26']);
  expect(endOfRibs()).toBe(2);
});

it('repairs what ExaBGP holds against our will when it is read back', async () => {
  const relay = await startRelay();
  relay.receive(desired(['10.10.1.0/26']));
  await settle();
  exabgp.rib.clear();
  exabgp.rib.set('10.10.7.0/26', attributes);
  relay.receive({ type: 'read' });
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26']);
});

it('announces the good members of a rejected group, names the bad one, and tries it again later', async () => {
  exabgp.refuse = '10.10.2.0/26';
  const relay = await startRelay();
  relay.receive(desired(['10.10.1.0/26', '10.10.2.0/26', '10.10.3.0/26']));
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26', '10.10.3.0/26']);
  expect(published.findLast((message) => message.type === 'state')).toMatchObject({
    settled: true,
    rejected: [{ prefix: '10.10.2.0/26', action: 'announce', reason: 'RejectedByExabgp' }],
  });
  exabgp.refuse = '';
  await clock.advance(5000);
  await settle();
  expect(exabgp.rib.has('10.10.2.0/26')).toBe(true);
});

it('holds only what every session of the family holds', async () => {
  exabgp.refuseToSecond = '10.10.2.0/26';
  const sessions = [session, { ...session, address: '10.1.0.2' }];
  for (const order of [sessions, sessions.toReversed()]) {
    published = [];
    const relay = await startRelay({ seconds: 5, keeper: true }, order);
    relay.receive(desired(['10.10.1.0/26', '10.10.2.0/26']));
    await settle();
    expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26', '10.10.2.0/26']);
    expect([...exabgp.ribOfSecond.keys()]).toEqual(['10.10.1.0/26']);
    const held = relay.snapshot().find((message) => message.type === 'held');
    expect(held?.routes.map((route) => route.prefix.text)).toEqual(['10.10.1.0/26']);
  }
});

it('rests when a read-back shows that what was rejected is held, or gone, after all', async () => {
  const relay = await startRelay({ seconds: 5, keeper: true });
  exabgp.refuse = '10.10.2.0/26';
  relay.receive(desired(['10.10.2.0/26']));
  await settle();
  exabgp.rib.set('10.10.2.0/26', attributes);
  relay.receive({ type: 'read' });
  await settle();
  expect(clock.pending).toBe(0);
  relay.receive(desired([]));
  await settle();
  expect(published.at(-1)).toMatchObject({ rejected: [{ prefix: '10.10.2.0/26', action: 'withdraw' }] });
  exabgp.rib.clear();
  relay.receive({ type: 'read' });
  await settle();
  expect(clock.pending).toBe(0);
  expect(published.at(-1)).toMatchObject({ settled: true, rejected: [] });
});

it('sends the end-of-RIB again when the answer to it was lost', async () => {
  const relay = await startRelay({ seconds: 5, keeper: true });
  exabgp.forget = ' eor ';
  relay.receive(desired(['10.10.1.0/26']));
  await settle();
  await clock.advance(11_001);
  await settle();
  expect(endOfRibs()).toBe(2);
});

it('finds its place after a lost answer, and converges', async () => {
  const relay = await startRelay();
  exabgp.forget = '10.10.1.0/26';
  relay.receive(desired(['10.10.1.0/26']));
  await settle();
  expect(exabgp.rib.size).toBe(0);
  await clock.advance(11_001);
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26']);
});

it('renews, expires and revives a lease without ever announcing a VIP unasked', async () => {
  const relay = await startRelay({ seconds: 2, keeper: false });
  relay.receive(desired(['10.10.1.0/26', '192.0.2.10/32']));
  for (let turn = 0; turn < 10; turn += 1) {
    await clock.advance(1000);
    relay.receive({ type: 'renew' });
  }
  expect(exabgp.rib.has('192.0.2.10/32')).toBe(true);
  await clock.advance(2000);
  await settle();
  expect([...exabgp.rib.keys()]).toEqual(['10.10.1.0/26']);
  relay.receive({ type: 'renew' });
  await settle();
  expect(exabgp.rib.has('192.0.2.10/32')).toBe(true);
});

it('gives an agent that starts two leases to take charge, once, and no time to one that comes after the lease ran out', async () => {
  const relay = await startRelay({ seconds: 2, keeper: false });
  const announced = (): boolean => exabgp.rib.has('192.0.2.10/32');
  const after = async (ms: number): Promise<boolean> => {
    await clock.advance(ms);
    await settle();
    return announced();
  };
  relay.receive(desired(['192.0.2.10/32']));
  expect(await after(1900)).toBe(true);
  relay.receive({ type: 'starting' });
  expect(await after(3900)).toBe(true);
  // The agent starts again and again: the VIP is withdrawn, because nobody knows whether the blade is fit.
  relay.receive({ type: 'starting' });
  expect(await after(200)).toBe(false);
  relay.receive({ type: 'starting' });
  expect(await after(0)).toBe(false);

  relay.receive(desired(['192.0.2.10/32']));
  expect(await after(1900)).toBe(true);
  relay.receive({ type: 'starting' });
  expect(await after(3900)).toBe(true);
});

it('gives no time to an agent that starts beside the one in charge, even when that one is frozen', async () => {
  const relay = await startRelay({ seconds: 2, keeper: false });
  relay.receive(desired(['192.0.2.10/32']));
  relay.agentChanged(true);
  relay.receive({ type: 'starting' });
  await clock.advance(2100);
  await settle();
  expect(exabgp.rib.has('192.0.2.10/32')).toBe(false);
});

it('keeps a keeper’s VIP for ever', async () => {
  const relay = await startRelay({ seconds: 2, keeper: true });
  relay.receive(desired(['192.0.2.10/32']));
  await clock.advance(3_600_000);
  expect(exabgp.rib.has('192.0.2.10/32')).toBe(true);
});

/** Lets the relay beat every second, as its process does. */
async function beats(relay: Relay, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await clock.advance(1000);
    relay.beat();
    await settle();
  }
}

const yielding = `${attributes} as-path [${Array.from({ length: 9 }, () => 65011).join(' ')}]`;
const changes = (): readonly string[] => exabgp.commands.filter((line) => / (announce|withdraw) attr/.test(line));
const state = (): unknown => published.findLast((message) => message.type === 'state');

it('lets all but VIPs and static routes yield when the agent is not heard for 90 s, and announces them as asked when it is back', async () => {
  exabgp.rib.set('10.1.0.11/32', attributes);
  const relay = await startRelay({ seconds: 5, keeper: true });
  relay.receive(desired(['10.10.1.0/26', '10.10.2.7/32', '192.0.2.10/32']));
  await settle();
  const before = Object.fromEntries(exabgp.rib);
  await beats(relay, 89);
  expect(changes()).toHaveLength(1);
  await beats(relay, 1);
  expect(Object.fromEntries(exabgp.rib)).toEqual({ ...before, '10.10.1.0/26': yielding, '10.10.2.7/32': yielding });
  expect(problems.filter((line) => line.includes('2 routes are announced with 8 more AS-path prepends'))).toHaveLength(
    1,
  );
  expect(state()).toMatchObject({ settled: true, yielded: { sinceMs: clock.now() } });
  // An agent sees its routes as it asked for them: nothing is to be changed, so no limit delays their return.
  const held = relay.snapshot().find((message) => message.type === 'held');
  expect(held?.routes.filter(({ prepend }) => prepend !== undefined)).toEqual([]);

  await beats(relay, 100);
  relay.receive({ type: 'read' }, false);
  await settle();
  expect(changes()).toHaveLength(2);

  relay.receive(desired(['10.10.1.0/26', '10.10.2.7/32', '192.0.2.10/32']));
  await settle();
  expect(Object.fromEntries(exabgp.rib)).toEqual(before);
  expect(changes().filter((line) => line.includes('withdraw'))).toEqual([]);
  expect(state()).toMatchObject({ settled: true, yielded: { untilMs: clock.now() } });
  await beats(relay, 89);
  expect(changes()).toHaveLength(3);
});

it.each(['read', 'renew'] as const)(
  'takes a `%s` of the agent in charge for a sign of life, and nothing of a listener',
  async (type) => {
    const relay = await startRelay();
    relay.receive(desired(['10.10.1.0/26']));
    for (let round = 0; round < 10; round += 1) {
      await beats(relay, 60);
      relay.receive({ type });
    }
    expect(exabgp.rib.get('10.10.1.0/26')).toBe(attributes);
    await beats(relay, 60);
    relay.receive({ type: 'read' }, false);
    await beats(relay, 30);
    expect(exabgp.rib.get('10.10.1.0/26')).toBe(yielding);
    // An agent that hung and goes on wants what it wanted.
    relay.receive({ type });
    await settle();
    expect(exabgp.rib.get('10.10.1.0/26')).toBe(attributes);
  },
);

it('lets routes yield while the agent asks for it, and goes on with that when both were started anew', async () => {
  const asked = { ...desired(['10.10.1.0/26', '192.0.2.10/32']), yields: true } as AgentMessage;
  const relay = await startRelay({ seconds: 5, keeper: true });
  relay.receive(desired(['10.10.1.0/26', '192.0.2.10/32']));
  await settle();
  const before = Object.fromEntries(exabgp.rib);
  relay.receive(asked);
  await settle();
  const yielded = { ...before, '10.10.1.0/26': yielding };
  expect(Object.fromEntries(exabgp.rib)).toEqual(yielded);
  relay.receive({ type: 'read' });
  await beats(relay, 80);
  relay.receive({ type: 'renew' });
  await beats(relay, 80);
  expect(Object.fromEntries(exabgp.rib)).toEqual(yielded);
  expect(problems.filter((line) => line.includes('the agent cannot read its cluster'))).toHaveLength(1);
  expect(state()).toMatchObject({ settled: true, yielded: { asked: true } });
  const count = changes().length;
  const next = await startRelay({ seconds: 5, keeper: true });
  next.receive(asked);
  await settle();
  expect(changes()).toHaveLength(count);
  next.receive(desired(['10.10.1.0/26', '192.0.2.10/32']));
  await settle();
  expect(Object.fromEntries(exabgp.rib)).toEqual(before);
  expect(changes().filter((line) => line.includes('withdraw'))).toEqual([]);
});

it('goes on with routes that yield when the relay itself was started anew, until an agent comes', async () => {
  exabgp.rib.set('10.10.1.0/26', yielding).set('10.1.0.11/32', attributes);
  const relay = await startRelay();
  expect(state()).toMatchObject({ yielded: { sinceMs: clock.now() } });
  await beats(relay, 200);
  expect(changes()).toEqual([]);
  relay.receive(desired(['10.10.1.0/26', '10.10.2.0/26']));
  await settle();
  expect(Object.fromEntries(exabgp.rib)).toEqual({
    '10.1.0.11/32': attributes,
    '10.10.1.0/26': attributes,
    '10.10.2.0/26': attributes,
  });
});

it('lets routes of a dead agent yield also when the relay died with it, and waits with those of a change half done', async () => {
  exabgp.rib.set('10.10.1.0/26', yielding).set('10.10.2.0/26', attributes);
  const relay = await startRelay();
  await beats(relay, 89);
  expect(changes()).toEqual([]);
  await beats(relay, 1);
  expect(exabgp.rib.get('10.10.2.0/26')).toBe(yielding);
  expect(changes()).toHaveLength(1);
});

it('announces routes that yield anew after a session bounced, as they yield', async () => {
  const relay = await startRelay();
  relay.receive(desired(['10.10.1.0/26']));
  await beats(relay, 90);
  relay.sessionChanged('10.1.0.1', 'down');
  exabgp.rib.clear();
  relay.sessionChanged('10.1.0.1', 'up');
  await settle();
  expect(Object.fromEntries(exabgp.rib)).toEqual({ '10.10.1.0/26': yielding });
});
