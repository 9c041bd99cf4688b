import { expect, test } from 'vitest';
import { blade, down, silent, takenAtMs, target, up, worker } from '../../test/support/snapshot.ts';
import type { AgentPart, NetworkPart, Snapshot } from './snapshot.ts';
import { renderStatus } from './text.ts';

function snapshot(agents: readonly AgentPart[], change: Partial<Snapshot> = {}): Snapshot {
  const pools = [{ name: 'paris-edge', cluster: 'paris', vips: ['192.0.2.10'] }];
  return { takenAtMs, clusters: [{ name: 'paris', sites: ['paris'] }], pools, agents, drains: [], ...change };
}

const unfit = (reason: string) => [{ address: '192.0.2.10', fit: false, announced: false, reasons: [reason] }];

test('has a first sentence that is too long in full below it, and on a narrow screen in several lines', () => {
  const reason = `closing connection: ${'the other end ended it, '.repeat(8)}again`;
  const agents = [blade('b1'), worker('w1', { neighbors: [{ ...down, reason }] })];
  const given = snapshot(agents);
  const [first = '', second] = renderStatus(given);
  expect(first).toMatch(/^14:02:51Z {2}FAULT: w1 has no BGP session \(10\.1\.0\.1: closing .* …, since 14:02:11Z$/);
  expect(first.length).toBeLessThanOrEqual(160);
  expect(second).toBe(`  fault    w1 has no BGP session (10.1.0.1: ${reason}), since 14:02:11Z`);
  const narrow = renderStatus(given, { columns: 80, rows: 24 });
  expect(narrow.slice(0, 2).map((line) => line.length <= 80)).toEqual([true, true]);
  expect(narrow.slice(0, 2).join('').replaceAll(' ', '')).toBe(first.replaceAll(' ', ''));
});

test('keeps the named reason of a first sentence that is cut', () => {
  const message = 'the certificate in Secret video/www-video-example-tls ended at 2026-11-27T13:22:25.000Z';
  const problems = [{ reason: 'CertificateExpired', message }];
  const refused = [{ object: 'Ingress/video/web', state: 'partial' as const, problems }];
  const [first = ''] = renderStatus(snapshot([blade('b1', { refused }), worker('w1', { relay: 'silent' })]));
  expect(first).toContain('w1');
  const [alone = ''] = renderStatus(snapshot([blade('b1', { refused })]));
  expect(alone).toMatch(/FAULT: Ingress\/video\/web of cluster paris .* … \(CertificateExpired\)$/);
  expect(alone.length).toBeLessThanOrEqual(160);
});

test('counts the routes of pods that a session of their family carries', () => {
  const both = [
    { prefix: '10.10.1.0/26', class: 'pods' },
    { prefix: '2001:db8:10::/122', class: 'pods' },
    { prefix: '10.1.0.11/32', class: 'server' },
  ];
  const row = (neighbors: NetworkPart['neighbors']) =>
    renderStatus(snapshot([worker('w1', { announced: both, neighbors })])).find((line) => line.startsWith('paris'));
  expect(row([up])).toMatch(/ 1\/1 +1 /);
  expect(row([up, { ...up, address: '2001:db8:1::1' }])).toMatch(/ 2\/2 +2 /);
  expect(row([down])).toMatch(/ 0\/1 +0 /);
});

const rowOf = (agents: readonly AgentPart[], change: Partial<Snapshot> = {}) =>
  renderStatus(snapshot(agents, change)).find((line) => line.startsWith('paris '));

test.each<readonly [string, string, readonly AgentPart[], Partial<Snapshot>]>([
  ['all are heard', '1/1         1/1      2/2     1           12 ms', [blade('b1'), worker('w1')], {}],
  ['there are no workers', '1/1         -        1/1     -           12 ms', [blade('b1')], {}],
  [
    'a cluster that cannot be read hides its workers',
    '1/1         ?        1/1+?   ?           12 ms',
    [blade('b1')],
    { clusters: [{ name: 'paris', sites: ['paris'], problem: 'Forbidden' }] },
  ],
  [
    'such a cluster has no blades either',
    '-           ?        ?       ?           -',
    [{ ...worker('w9'), target: target('w9', 'network', 'newyork') }],
    { clusters: [{ name: 'paris', sites: ['paris'], problem: 'Forbidden' }] },
  ],
  [
    'a worker has no place',
    '1/1         1/1+?    2/2+?   1+?         12 ms',
    [blade('b1'), worker('w1')],
    { clusters: [{ name: 'paris', sites: ['paris'], unplaced: ['w2'] }] },
  ],
  [
    'agents are silent',
    '1/2+?       1/2      2/2+?   1+?         12 ms',
    [blade('b1'), silent('b2', 'edge'), worker('w1'), silent('w2', 'network')],
    {},
  ],
  ['no worker answers', '1/1         0/1      1/1+?   ?           12 ms', [blade('b1'), silent('w1', 'network')], {}],
  [
    'a worker has no ExaBGP',
    '1/1         1/1      1/1+?   0+?         12 ms',
    [blade('b1'), worker('w1', { relay: 'disconnected', neighbors: [], announced: [] })],
    {},
  ],
  [
    'blades that answer are unfit, or drain',
    '1/3         -        3/3     -           12 ms',
    [blade('b1'), blade('b2', { vips: unfit('ProbeFailed') }), blade('b3', { draining: true })],
    {},
  ],
])('counts nothing that was not heard, and nobody as fit who is not: %s', (_what, cells, agents, change) => {
  expect(rowOf(agents, change)?.replace(/^paris +/, '')).toBe(cells);
  expect(renderStatus(snapshot(agents, change)).some((line) => line.startsWith('? not known'))).toBe(
    cells.includes('?'),
  );
});

test('has a row for a VIP that left its pool and is still announced, by those alone that announce it', () => {
  const both = ['192.0.2.10', '192.0.2.11'].map((address) => ({ address, fit: true, announced: true, reasons: [] }));
  const lines = renderStatus(snapshot([blade('b1', { vips: both }), blade('b2')]));
  expect(lines).toContain('192.0.2.10  b1 b2');
  expect(lines).toContain('192.0.2.11  b1; pool paris-edge has it no longer');
});

test('says in its first line that all is well, and how much that covers', () => {
  const lines = renderStatus(snapshot([blade('b1'), blade('b2'), worker('w1')]));
  expect(`${lines.join('\n')}\n`).toMatchInlineSnapshot(`
    "14:02:51Z  all well, as far as agents and ExaBGP know: 3 agents answer, every VIP is announced, every session is up; DNS is not looked at

    site   blades fit  workers  BGP     pod routes  answered within
    paris  2/2         1/1      3/3     1           12 ms

    VIP         announced by
    192.0.2.10  b1 b2
    "
  `);
});
