import { expect, it } from 'vitest';
import { takenAtMs } from '../../test/support/snapshot.ts';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { askFollowing, type Following } from './drain-dns.ts';
import type { DnsPart } from './why/evidence.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);

function drained(kind: 'Cluster' | 'Blade', name: string, expiresInMs = 60_000): Platform {
  const drain = Drain.parse({
    apiVersion,
    kind: 'Drain',
    metadata: { name: 'd' },
    spec: { target: { kind, name }, reason: 'x', expires: new Date(takenAtMs + expiresInMs).toISOString() },
  });
  return { ...platform, drains: new Map([['d', drain]]) };
}

type Said = Readonly<Record<string, readonly string[] | string>>;

const endless = new Promise<string>(() => {});

function ask(of: Platform, said: Said | Error, within = endless): Promise<ReadonlyMap<string, Following>> {
  const means: Parameters<typeof askFollowing>[2] = {
    addressOf: (country) => (country === 'FR' ? '203.0.113.1' : undefined),
    nameServers: async () => {
      if (said instanceof Error) throw said;
      return Object.keys(said).map((address) => ({ address, port: 53 }));
    },
    dns: async ({ server, host, country = '' }): Promise<DnsPart> => {
      const answer = said instanceof Error ? '' : (said[server.address] ?? '');
      const part = { server: server.address, host, country };
      if (typeof answer === 'string') return { ...part, problem: answer };
      return { ...part, addresses: answer, rcode: 'NOERROR' };
    },
  };
  return askFollowing(of, takenAtMs, means, within);
}

const paris = '192.0.2.10';
const cloud = '203.0.113.10';

it.each<[string, Said | Error, string | RegExp]>([
  ['one name server is late', { ns1: [paris], ns2: [cloud] }, 'FR for www.video.example is still led to paris by ns1'],
  [
    'all follow',
    { ns1: [cloud], ns2: [cloud] },
    'FR for www.video.example is led elsewhere now (2 name servers asked)',
  ],
  [
    'one is silent',
    { ns1: [cloud], ns2: 'does not answer' },
    'FR for www.video.example is led elsewhere now (1 name server asked; not known: ns2: does not answer)',
  ],
  ['nobody answers', { ns1: 'does not answer' }, /^whether FR .* is not known: ns1: does not answer$/],
  ['an answer is empty', { ns1: [] }, /^whether FR .* is not known: ns1: answers no address \(NOERROR\)$/],
  ['no name server is known', new Error('ENOTFOUND'), /is not known: .*name servers are not known here \(ENOTFOUND\)/],
])('says of a drained cluster where DNS leads users: %s', async (_what, said, clause) => {
  const found = (await ask(drained('Cluster', 'paris'), said)).get('d')?.text;
  if (typeof clause === 'string') expect(found).toBe(clause);
  else expect(found).toMatch(clause);
});

it('tells users who are still led there from those who are not', async () => {
  const of = async (...answers: readonly string[]) =>
    (await ask(drained('Cluster', 'paris'), { ns1: answers })).get('d')?.still;
  expect([await of(paris), await of(cloud), await of()]).toEqual([true, false, false]);
});

it('asks for users whom only a hold of another cluster leads to the drained one', async () => {
  const of = drained('Cluster', 'cloud');
  const video = of.policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const answers = { clusters: [{ name: 'paris', weight: 1 }], failover: ['cloud'] };
  const failback = { mode: 'byHand', holdMinutes: 30, stepShare: 0.1, stepMinutes: 10 } as const;
  const said = async (more: object) => {
    const spec = { ...video.spec, rules: [], default: answers, ...more };
    const policies = new Map([['video', { ...video, spec }]]);
    return (await ask({ ...of, policies }, { ns1: [cloud] })).get('d');
  };
  expect(await said({})).toBeUndefined();
  expect(await said({ failback })).toEqual({
    text: 'FR for www.video.example is still led to cloud by ns1',
    still: true,
  });
});

it('waits no longer than it may, and asks no more than it may', async () => {
  const silent = { addressOf: () => '203.0.113.1', nameServers: () => new Promise<never>(() => {}) };
  const dns = () => new Promise<never>(() => {});
  const late = await askFollowing(
    drained('Cluster', 'paris'),
    takenAtMs,
    { ...silent, dns },
    Promise.resolve('no answer within 2 s'),
  );
  expect(late.get('d')).toEqual({
    text: expect.stringMatching(
      /^whether \w\w for www\.video\.example is led away is not known: no answer within 2 s$/,
    ),
    still: false,
  });
  const one = drained('Cluster', 'paris');
  const drains = new Map(
    [...Array(30).keys()].map((at) => [`d${at}`, [...one.drains.values()][0] as NonNullable<Drain>] as const),
  );
  const [video] = [...one.policies.values()];
  const policies = new Map([['video', video as NonNullable<typeof video>]]);
  let asked = 0;
  const many = await askFollowing(
    { ...one, drains, policies },
    takenAtMs,
    {
      addressOf: () => '203.0.113.1',
      nameServers: async () => [{ address: 'ns1', port: 53 }],
      dns: async ({ host }) => {
        asked += 1;
        return { server: 'ns1', host, problem: 'does not answer' };
      },
    },
    endless,
  );
  expect([many.size, asked]).toEqual([30, 20]);
  expect([...many.values()].at(-1)?.text).toMatch(/only 20 questions are asked at a time$/);
});

it('asks nothing for a Drain that DNS does not concern, or that is over', async () => {
  for (const each of [drained('Blade', 'paris-blade-1'), drained('Cluster', 'paris', -1), platform])
    expect(await ask(each, { ns1: [paris] })).toEqual(new Map());
});
