import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAddress, parsePrefix } from '../model/address.ts';
import type { Route } from './route.ts';
import { type AgentMessage, encodeMessage, parseAgentMessage, parseRelayMessage, type RelayMessage } from './wire.ts';

const prefix = parsePrefix('10.10.1.0/26');
const nextHop = parseAddress('10.1.0.11');
if (prefix === undefined || nextHop === undefined) throw new Error('unreachable');
const route: Route = {
  prefix,
  nextHop,
  class: 'vip',
  med: 1,
  localPreference: 2,
  communities: [[65011, 3]],
  prepend: 4,
  because: 'a\nb',
};
const plain: Route = { prefix, nextHop, class: 'pods', because: '' };

it('encodes and parses every message of the agent', () => {
  const messages: readonly AgentMessage[] = [
    { type: 'desired', revision: 3, complete: true, lease: { seconds: 5, keeper: false }, routes: [route, plain] },
    { type: 'desired', revision: 0, complete: false, routes: [] },
    { type: 'renew' },
    { type: 'starting' },
    { type: 'read' },
  ];
  for (const message of messages) expect(parseAgentMessage(encodeMessage(message).trimEnd())).toEqual(message);
});

it('encodes and parses every message of the relay', () => {
  const messages: readonly RelayMessage[] = [
    { type: 'held', routes: [route], fixed: ['10.1.0.11/32'] },
    { type: 'refused', reason: 'BadMessage', message: 'x' },
    { type: 'replaced' },
    {
      type: 'state',
      phase: 'synced',
      revision: 3,
      settled: true,
      exabgpSilent: true,
      hasAgent: true,
      leaseExpired: false,
      neighbors: [{ address: '10.1.0.1', asn: 65010, family: 4, up: true, endOfRib: false, changedAtMs: 5 }],
      rejected: [{ prefix: '10.10.1.0/26', action: 'withdraw', reason: 'RejectedByExabgp', message: 'm' }],
      yielded: { sinceMs: 5, asked: true, untilMs: 6 },
    },
  ];
  for (const message of messages) expect(parseRelayMessage(encodeMessage(message).trimEnd())).toEqual(message);
});

const bad = (change: object): string =>
  JSON.stringify({
    type: 'desired',
    revision: 1,
    complete: true,
    routes: [{ prefix: '10.10.1.0/26', nextHop: '10.1.0.11', class: 'pods', ...change }],
  });

it('lets routes yield only when that is said plainly', () => {
  const line = (yields: string): string =>
    `{"type":"desired","revision":1,"complete":true,"routes":[],"yields":${yields}}`;
  expect(parseAgentMessage(line('true'))).toHaveProperty('yields', true);
  expect(parseAgentMessage(line('"true"'))).not.toHaveProperty('yields');
});

it.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no type', '{}'],
  ['no routes', '{"type":"desired","revision":1,"complete":true}'],
  ['half a revision', '{"type":"desired","revision":1.5,"complete":true,"routes":[]}'],
  ['a bad lease', '{"type":"desired","revision":1,"complete":true,"routes":[],"lease":{"seconds":-1,"keeper":true}}'],
  ['host bits', bad({ prefix: '10.10.1.1/26' })],
  ['a command as next hop', bad({ nextHop: '10.1.0.11 nlri 0.0.0.0/0' })],
  ['a class of its own', bad({ class: 'admin' })],
  ['an endless prepend', bad({ prepend: 1e6 })],
  ['text as MED', bad({ med: '1; shutdown' })],
  ['a community of three', bad({ communities: [[1, 'x']] })],
])('no message: %s', (_, line) => {
  expect(parseAgentMessage(line)).toBeUndefined();
});

it('never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (line) => {
        parseAgentMessage(line);
        parseRelayMessage(line);
      },
    ),
  );
});
