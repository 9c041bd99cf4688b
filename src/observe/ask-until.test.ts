import { expect, test } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { DnsQuery } from './ask-dns.ts';
import { askUntilRight, type ClientQuestion, type Heard } from './ask-until.ts';

const question = (country: string, type: 'A' | 'AAAA' = 'A'): ClientQuestion => ({
  host: 'www.video.example',
  type,
  country,
  subnet: '192.0.2.0',
});
const questions = [question('FR'), question('US'), question('US', 'AAAA')];
const [first, second] = ['192.0.2.1', '192.0.2.2'].map((address) => ({
  name: address,
  server: { address, port: 53 },
  questions,
}));

/** Name servers that answer what `answer` says at a time, all of which `right` is right. */
function world(answer: (query: DnsQuery, nowMs: number) => string | undefined) {
  const clock = new FakeClock(0);
  const queries: DnsQuery[] = [];
  const rounds: (readonly Heard[])[] = [];
  const heard = askUntilRight(
    [first, second].flatMap((one) => one ?? []),
    {
      dns: async (query) => {
        queries.push(query);
        const of = { server: query.server.address, host: query.host };
        const address = answer(query, clock.now());
        return address === undefined
          ? { ...of, problem: 'does not answer' }
          : { ...of, addresses: [address], rcode: '' };
      },
      judge: async ({ country, type }, [address]) =>
        address === 'right' ? undefined : `answers ${country} ${type} with ${address}`,
      clock,
      limitMs: 60_000,
      onRound: (all) => rounds.push(all),
    },
  );
  return { clock, queries, rounds, heard };
}

test('everybody is asked everything once when all is right, in both families and as a client of each country', async () => {
  const { heard, queries } = world(() => 'right');
  expect((await heard).map(({ asked, right, wrong }) => [asked, right, wrong])).toEqual([
    [3, 3, []],
    [3, 3, []],
  ]);
  expect(queries).toHaveLength(6);
  expect(queries[0]).toMatchObject({ country: 'FR', subnet: '192.0.2.0', types: ['A'] });
});

test('who answers otherwise at first is asked again, and only that', async () => {
  const { heard, queries, clock, rounds } = world(({ server, country }, nowMs) =>
    server.address === '192.0.2.2' && country === 'US' && nowMs < 10_000 ? 'old' : 'right',
  );
  await clock.advance(20_000);
  expect((await heard).map(({ right }) => right)).toEqual([3, 3]);
  const later = queries.slice(6);
  expect(later.length).toBeGreaterThan(0);
  expect(later.every(({ server, country }) => server.address === '192.0.2.2' && country === 'US')).toBe(true);
  expect(rounds[0]?.map(({ right }) => right)).toEqual([3, 1]);
});

test('when the time is over, who is silent and who is wrong is named', async () => {
  const { heard, queries, clock } = world(({ server, country }) =>
    server.address === '192.0.2.1' ? undefined : country === 'US' ? 'old' : 'right',
  );
  await clock.advance(61_000);
  expect(await heard).toEqual([
    { name: '192.0.2.1', asked: 3, right: 0, wrong: ['does not answer'] },
    { name: '192.0.2.2', asked: 3, right: 1, wrong: ['answers US A with old', 'answers US AAAA with old'] },
  ]);
  const rounds = queries.filter(({ server }) => server.address === '192.0.2.1').length;
  expect(rounds).toBeLessThan(20);
});
