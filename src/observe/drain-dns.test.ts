import { expect, it } from 'vitest';
import { takenAtMs } from '../../test/support/snapshot.ts';
import { apiVersion } from '../model/contract.ts';
import { Drain } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../platform/load.ts';
import { askFollowing } from './drain-dns.ts';
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

function ask(of: Platform, said: Said | Error): Promise<ReadonlyMap<string, string>> {
  return askFollowing(of, takenAtMs, {
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
  });
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
  const found = (await ask(drained('Cluster', 'paris'), said)).get('d');
  if (typeof clause === 'string') expect(found).toBe(clause);
  else expect(found).toMatch(clause);
});

it('asks nothing for a Drain that DNS does not concern, or that is over', async () => {
  for (const each of [drained('Blade', 'paris-blade-1'), drained('Cluster', 'paris', -1), platform])
    expect(await ask(each, { ns1: [paris] })).toEqual(new Map());
});
