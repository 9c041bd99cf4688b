import { expect, test } from 'vitest';
import {
  blade,
  type Change,
  closed,
  dns,
  france,
  health,
  platform,
  pod,
  prefix,
  routes,
  snapshot,
  well,
  wholeHost,
} from '../../../test/support/why-evidence.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { Chain } from './chain.ts';
import type { Evidence } from './evidence.ts';
import { answer, type Question } from './questions.ts';
import { type Down, suppose } from './suppose.ts';
import { renderChain } from './text.ts';

const ask = (question: Question, change: Partial<Evidence> = {}, spec: Platform = platform): Chain =>
  answer(spec, { ...well, ...change }, question);

test.each([
  ['country', france, 13],
  ['host', wholeHost, 20],
  ['pod', pod, 8],
  ['route of pods', prefix('10.10.1.0/26'), 7],
  ['route of a VIP', prefix('192.0.2.10/32'), 5],
  ['blade', blade, 8],
] as const)('holds hop by hop where all is well: %s', (_, question, hops) => {
  const chain = ask(question);
  expect(chain.hops.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  expect(chain.hops.length).toBeGreaterThanOrEqual(hops - 2);
  expect(chain).toMatchObject({ verdict: 'holds' });
  expect(renderChain(chain)[0]).toMatch(/: every hop holds$/);
});

test.each([
  ['no name server answers', dns('FR', 'does not answer within 2.1 s'), 'where users in FR are led is not known'],
  ['a name server has no address', dns('FR', []), 'users in FR are led to no cluster that is known here'],
])('says where users are led, or that it is not known: %s', (_, parts, outcome) => {
  expect(ask(france, { dns: parts }).outcome.join()).toContain(outcome);
});

const both = (change: Change) => ({ 'paris-blade-1': change, 'paris-blade-2': change });
const unknowns: readonly (readonly [string, Question, Partial<Evidence>, string, RegExp])[] = [
  [
    'a name server that is silent',
    france,
    { dns: dns('FR', 'does not answer within 2.1 s') },
    'DNS answer',
    /does not answer/,
  ],
  ['no name server', france, { dns: [] }, 'DNS answer', /no name server/],
  ['an entry that was not asked', france, { health: [] }, 'health', /not asked/],
  [
    'blades that do not answer',
    prefix('192.0.2.10/32'),
    { snapshot: snapshot(both('timed out')) },
    'VIP',
    /no blade answers/,
  ],
  [
    'one blade that is silent while the other does not announce',
    prefix('192.0.2.10/32'),
    {
      snapshot: snapshot({
        'paris-blade-1': 'timed out',
        'paris-blade-2': { vips: [{ address: '192.0.2.10', fit: true, announced: false, reasons: [] }] },
      }),
    },
    'announced by',
    /silent: paris-blade-1/,
  ],
  [
    'a blade that lets us not in',
    blade,
    { snapshot: snapshot({ 'paris-blade-1': closed }) },
    'blade',
    /HTTP 403.*--metrics-from/,
  ],
  ['a worker that lets us not in', pod, { snapshot: snapshot({ 'paris-worker-1': closed }) }, 'worker', /HTTP 403/],
  [
    'a worker that lets us not in, where nobody says whose the address is',
    prefix('10.10.1.0/26'),
    { snapshot: snapshot({ 'paris-worker-1': closed }) },
    'worker',
    /silent: paris-worker-1: refuses/,
  ],
  [
    'a server that lets us not in',
    prefix('10.1.0.11/32'),
    { snapshot: snapshot({ 'paris-worker-1': closed }) },
    'worker',
    /HTTP 403/,
  ],
  ['blades that are asked for no route', wholeHost, { routes: [] }, 'rule', /no blade/],
  ['a cluster that cannot be read', pod, { pods: [{ cluster: 'paris', problem: 'Forbidden' }] }, 'pod', /Forbidden/],
  [
    'a worker of an older version',
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { blackholes: undefined } }) },
    'kernel',
    /does not say/,
  ],
  [
    'workers that are not known',
    prefix('10.10.9.0/26'),
    { snapshot: { ...snapshot(), clusters: [{ name: 'paris', problem: 'Forbidden' }] } },
    'worker',
    /Forbidden/,
  ],
];

test.each(unknowns)('what could not be asked is unknown, and never holds: %s', (_, question, change, hop, what) => {
  const { verdict, broken } = ask(question, change);
  expect([verdict, broken?.hop]).toEqual(['unknown', hop]);
  expect(broken?.what).toMatch(what);
});

test('the health of an entry follows from what is behind it', () => {
  const { hops, broken } = ask(wholeHost, {
    health: health({ paris: { healthy: false, answered: true, problem: 'answers 503 to the health check' } }),
    routes: routes({ refused: 'HostUnknown' }),
  });
  expect(hops.find(({ hop, verdict }) => hop === 'health' && verdict === 'fails')).toMatchObject({ follows: true });
  expect(broken?.hop).toBe('rule');
});

test('a host that no policy names is looked for on every blade', () => {
  const asked = { host: 'shop.example', path: '/' };
  const own = routes().map((part) => ({ ...part, ...asked }));
  expect(ask({ kind: 'host', asked }, { routes: own })).toMatchObject({ verdict: 'holds' });
  const nowhere = own.map((part) =>
    'answer' in part ? { ...part, answer: { ...part.answer, refused: 'HostUnknown' } } : part,
  );
  expect(ask({ kind: 'host', asked }, { routes: nowhere }).broken).toMatchObject({ reason: 'HostUnknown' });
  const [first, ...others] = nowhere;
  const silent = [{ blade: first?.blade ?? '', pool: 'paris-edge', ...asked, problem: 'timed out' }, ...others];
  expect(ask({ kind: 'host', asked }, { routes: silent })).toMatchObject({ verdict: 'unknown' });
});

const supposed: readonly (readonly [string, readonly Down[], Question, string, RegExp])[] = [
  [
    'a cluster',
    [{ kind: 'Cluster', name: 'paris' }],
    france,
    'users in FR would be led to cloud',
    /^health: cluster paris/,
  ],
  [
    'all its sites',
    [{ kind: 'Site', name: 'paris' }],
    france,
    'users in FR would be led to cloud',
    /^health: cluster paris/,
  ],
  [
    'two clusters',
    [
      { kind: 'Cluster', name: 'paris' },
      { kind: 'Cluster', name: 'cloud' },
    ],
    france,
    'users in FR would be led to newyork',
    /^health: cluster paris/,
  ],
  ['one blade', [{ kind: 'Blade', name: 'paris-blade-1' }], france, 'users in FR would be led to paris', /^nothing/],
  [
    'both blades',
    [
      { kind: 'Blade', name: 'paris-blade-1' },
      { kind: 'Blade', name: 'paris-blade-2' },
    ],
    france,
    'users in FR would be led to cloud',
    /^health: cluster paris/,
  ],
  ['one worker', [{ kind: 'Worker', name: 'paris-worker-1' }], france, 'users in FR would be led to paris', /^nothing/],
  [
    'both workers',
    [
      { kind: 'Worker', name: 'paris-worker-1' },
      { kind: 'Worker', name: 'paris-worker-2' },
    ],
    france,
    'users in FR would be led to cloud',
    /^Service: |^endpoints: video\/web has no endpoint/,
  ],
];

test.each(supposed)('answers what would happen without %s', (_, downs, question, outcome, broken) => {
  const chain = answer(platform, suppose(platform, well, downs), question);
  expect(chain.outcome.join()).toContain(outcome);
  expect(chain.supposed).toEqual(downs.map(({ kind, name }) => `${kind}/${name}`));
  const at =
    chain.broken === undefined ? 'nothing' : `${chain.broken.hop}: ${chain.broken.subject} ${chain.broken.what}`;
  expect(at).toMatch(broken);
});

test('a supposition takes the silence of everybody for no failure but the supposed one', () => {
  const agents = well.snapshot.agents.map(({ target }) => ({ target, problem: 'timed out' }));
  const silent = { healthy: false, answered: false, problem: 'timed out' } as const;
  const blind = {
    ...well,
    snapshot: { ...well.snapshot, agents },
    health: well.health.map(({ cluster, address, policy }) => ({ cluster, address, policy, ...silent })),
  };
  const chain = answer(platform, suppose(platform, blind, [{ kind: 'Cluster', name: 'paris' }]), france);
  expect(chain.outcome.join()).toContain('users in FR would be led to cloud');
  expect(chain.hops.filter(({ hop, reason }) => hop === 'health' && reason === 'EntrySilent').length).toBe(1);
});

test('a supposition says nothing of what is not supposed', () => {
  expect(suppose(platform, well, [])).toBe(well);
  const chain = answer(platform, suppose(platform, well, [{ kind: 'Worker', name: 'paris-worker-1' }]), pod);
  expect(chain.broken).toMatchObject({ hop: 'worker', what: 'is down, as supposed' });
  expect(renderChain(chain).join('\n')).not.toContain('fix:');
});

test('a VIP that two drained blades keep, because nobody else could, is served', () => {
  const vips = [{ address: '192.0.2.10', fit: false, announced: true, reasons: ['Draining', 'LastAnnouncer'] }];
  const kept = { vips, draining: true };
  const change = { 'paris-blade-1': kept, 'paris-blade-2': kept };
  const chain = ask(france, { snapshot: snapshot(change) });
  expect(chain).toMatchObject({ verdict: 'holds' });
  expect(ask(blade, { snapshot: snapshot(change) }).broken).toMatchObject({ reason: 'BladeDrained' });
  expect(chain.hops.filter(({ hop }) => hop === 'VIP')).toMatchObject([
    { verdict: 'holds', what: expect.stringMatching(/stays with the drained paris-blade-1, paris-blade-2/) },
  ]);
  const broken = vips.map((one) => ({ ...one, reasons: [...one.reasons, 'ProbeFailed'] }));
  const unfit = { 'paris-blade-1': { vips: broken }, 'paris-blade-2': { vips: broken } };
  expect(ask(france, { snapshot: snapshot(unfit) }).hops).toContainEqual(
    expect.objectContaining({ hop: 'VIP', reason: 'VipUnserved' }),
  );
});

test('says of a country which clusters it never reaches', () => {
  const [[name, video] = []] = [...platform.policies];
  if (name === undefined || video === undefined) throw new Error('no policy');
  const never = [{ clusters: ['elsewhere'], countries: ['FR'], continents: [], unknownLocation: false }];
  const policy = { ...video, spec: { ...video.spec, never } };
  const hosts = [{ host: policy.spec.hosts[0] ?? '', policy }];
  const { hops } = answer(platform, well, { kind: 'country', country: 'FR', hosts });
  expect(hops[0]?.what).toMatch(/^for FR: policy .*, never elsewhere$/);
});
