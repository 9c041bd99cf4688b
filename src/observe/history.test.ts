import { expect, it } from 'vitest';
import { twoSites } from '../../test/support/platform.ts';
import { toldApart } from './ask-history.ts';
import { concerns, mergeHistories, type PastDecision, readHistory } from './history.ts';
import { renderHistory } from './history-text.ts';

const at = Date.UTC(2026, 10, 27, 14, 2, 11);
const past = (change: Partial<PastDecision>): PastDecision => ({
  atMs: at,
  what: 'VipWithdrawn',
  subject: 'VIP 192.0.2.10',
  server: 'paris-blade-1',
  agent: 'edge',
  ...change,
});

it('reads what it can of the answer of an agent, and counts the rest', () => {
  const decision = { atMs: 1, what: 'SomethingNew', subject: 'x', more: 'of a newer release' };
  expect(readHistory({ decisions: [decision, { what: 'x' }, 'x'], damaged: 2 })).toEqual({
    decisions: [{ atMs: 1, what: 'SomethingNew', subject: 'x' }],
    damaged: 4,
  });
  expect(() => readHistory({ error: 'no' })).toThrow();
});

it('is one list of all, by time', () => {
  const told = (server: string, ...times: readonly number[]) => ({
    server,
    agent: 'edge',
    cluster: 'paris',
    decisions: times.map((atMs) => ({ atMs, what: 'SessionUp', subject: 's' })),
    damaged: 0,
  });
  const merged = mergeHistories([told('a', 1, 30), told('b', 20, 10)], 5);
  expect(merged.map(({ server, atMs }) => `${server}${atMs}`)).toEqual(['b10', 'b20', 'a30']);
});

it('tells agents apart that run on one server, by what they are or by their port', () => {
  const at = (server: string, agent: string, port: number) => ({ server, agent, at: { address: '10.1.0.21', port } });
  const asked = toldApart([
    at('paris-blade-1', 'edge', 9464),
    at('ops-1', 'steering', 9465),
    at('ops-1', 'steering', 9475),
    at('mixed', 'edge', 9464),
    at('mixed', 'network', 9463),
  ]);
  expect(asked.map(({ server, instance }) => `${server} ${instance ?? ''}`.trim())).toEqual([
    'paris-blade-1',
    'ops-1 steering:9465',
    'ops-1 steering:9475',
    'mixed edge',
    'mixed network',
  ]);
  expect(renderHistory([past({ instance: 'edge' })])[1]).toBe(
    '14:02:11Z  paris-blade-1 (edge)  VipWithdrawn VIP 192.0.2.10',
  );
});

it('concerns a country by the clusters that serve it, or by the countries that moved', () => {
  const is = concerns(twoSites(), { country: 'FR' }, at);
  expect(is(past({ cluster: 'two-sites' }))).toBe(true);
  expect(is(past({ cluster: 'elsewhere' }))).toBe(false);
  expect(is(past({ agent: 'command', countries: ['FR', 'BE'] }))).toBe(true);
  expect(is(past({ agent: 'command', countries: ['US'] }))).toBe(false);
  expect(is(past({ agent: 'command', what: 'FreezeAsked' }))).toBe(true);
  const japan = concerns(twoSites(), { country: 'JP' }, at);
  // The other one serves Japan when the cloud fails.
  expect(['two-sites', 'cloud', 'elsewhere'].map((cluster) => japan(past({ cluster })))).toEqual([true, true, false]);
});

it('has a line for what was decided, and one for why, with the date where the day changes', () => {
  const lines = renderHistory([
    past({ why: 'ProbeFailed', inputs: 'spec current, cluster live, table 7' }),
    past({ atMs: at + 86_400_000, what: 'DrainAsked', subject: 'Blade paris-blade-1', by: 'anna' }),
  ]);
  expect(lines).toEqual([
    '2026-11-27',
    '14:02:11Z  paris-blade-1  VipWithdrawn VIP 192.0.2.10',
    '    ProbeFailed; (spec current, cluster live, table 7)',
    '2026-11-28',
    '14:02:11Z  paris-blade-1  DrainAsked Blade paris-blade-1',
    '    by anna',
  ]);
});
