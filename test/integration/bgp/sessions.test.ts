import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outageLines } from '../../../src/bgp/faults.ts';
import type { NeighborStatus, Speaker } from '../../../src/bgp/speaker.ts';
import { routerKinds } from '../../support/daemons/router.ts';
import { NotYet } from '../../support/eventually.ts';
import { listeningLog } from '../../support/listening-log.ts';
import { promised } from '../../support/promised.ts';
import { eventually, route, World } from './world.ts';

const block = '10.10.1.0/26';
const holdTimeMs = 9000;
/** ExaBGP and the routers try again within some seconds: this long a session is watched that cannot come up. */
const retriesMs = 6000;

let world: World;
let speaker: Speaker;
let lines: string[];
let upSinceMs: number;
afterEach(async () => {
  await world.stop();
});

const session = (): NeighborStatus => {
  const [only, ...more] = speaker.status().neighbors;
  if (only === undefined || more.length > 0) throw new Error('there is one session');
  return only;
};
const isUp = (): Promise<void> =>
  eventually('the session is up', () => session().up && outageLines(speaker.status()).length === 0, {
    timeoutMs: 30_000,
  }).then(() => undefined);
const reason = (wanted: RegExp, timeoutMs: number): Promise<unknown> =>
  eventually(
    `the reason is ${wanted}`,
    () => {
      const { up, reason: why = '' } = session();
      if (up || !wanted.test(why)) throw new NotYet(`${up ? 'up' : 'down'}: ${why}\n${logged().join('\n')}`);
      return true;
    },
    { timeoutMs },
  );
const logged = (): readonly string[] => lines.filter((line) => line.includes('SessionDown'));

/** The session is down since one moment, for these reasons, each of which has one line; `heal` brings it up, which ends all that. */
async function staysDown(heal: () => Promise<void>, ...reasons: readonly RegExp[]): Promise<void> {
  const { changedAtMs = 0 } = session();
  expect(changedAtMs).toBeGreaterThan(upSinceMs);
  expect(outageLines(speaker.status())).toEqual([
    `SessionDown: the session with 10.1.0.1 (AS 65010) is down since ${new Date(changedAtMs).toISOString()}: ${session().reason}`,
  ]);
  await new Promise((resolve) => setTimeout(resolve, retriesMs));
  expect(session().changedAtMs).toBe(changedAtMs);
  const told = logged();
  console.log(told.join('\n'));
  expect(new Set(told).size).toBe(told.length);
  for (const wanted of reasons) expect(told).toContainEqual(expect.stringMatching(wanted));
  expect(told.every((line) => line.startsWith('warn a BGP session is down SessionDown '))).toBe(true);
  await heal();
  await isUp();
  expect(session().changedAtMs).toBeGreaterThan(changedAtMs);
  expect(session().reason).toBeUndefined();
  expect(lines).toContain('info a BGP session is up again');
  // The relay and ExaBGP answered all the time.
  expect(lines.filter((line) => /RelayAway|Silent/.test(line))).toEqual([]);
  await world.waitKernel([block], 30_000);
}

describe.each(routerKinds)(
  'why a session with %s is down, in status and log, however often it is tried again:',
  (kind) => {
    beforeEach(async () => {
      lines = [];
      world = await World.start(undefined, kind);
      speaker = world.speaker({ log: listeningLog(lines) });
      speaker.setDesired([route(block)]);
      await world.waitKernel([block]);
      await isUp();
      expect(logged()).toEqual([]);
      upSinceMs = session().changedAtMs ?? 0;
    });

    const shut = /notification received \(6,2\): Cease \/ Administrative Shutdown/;
    it.each([
      ['a person shut it', undefined, shut],
      [
        'a person shut it and told why',
        'the cable is replaced',
        /notification received \(6,2 or 6,4\): Cease \/ Administrative Shutdown or Reset/,
      ],
    ])('%s', async (_, why, wanted) => {
      await world.router.setSession('server', 'shut', why);
      await reason(wanted, 10_000);
      await staysDown(() => world.router.setSession('server', 'open'), wanted);
    });

    it('the router expects another AS of the server', async () => {
      await world.router.editSession('server', { asn: 65_099 });
      const wrong = /notification received \(2,2\): OPEN Message Error \/ Bad Peer AS/;
      await reason(wrong, 20_000);
      await staysDown(() => world.router.editSession('server', {}), wrong);
    });

    it('the router has another AS than its Site says', async () => {
      await world.router.editSession('server', { ownAsn: 65_099 });
      const wrong = /notification sent \(2,2\): OPEN message error \/ Bad Peer AS/;
      await reason(wrong, 20_000);
      await staysDown(() => world.router.editSession('server', {}), wrong);
    });

    it('the server announces more prefixes than the router takes', async () => {
      // BIRD also counts the server's own address.
      await world.router.editSession('server', { maxPrefixes: 2 });
      await isUp();
      speaker.setDesired([block, '10.10.2.0/26', '10.10.3.0/26', '10.10.4.0/26'].map((prefix) => route(prefix)));
      const tooMany = /notification received \(6,1\): Cease \/ Maximum Number of Prefixes Reached/;
      await reason(tooMany, 10_000);
      speaker.setDesired([route(block)], { confirmed: true });
      await staysDown(async () => {
        await world.router.editSession('server', {});
        await world.router.setSession('server', 'open');
      }, tooMany);
    });

    it('the link is silent, so the hold timer expires', async () => {
      const nft = (...words: readonly string[]) => world.network.exec('router', 'nft', ...words);
      await nft('add', 'table', 'inet', 'silence');
      for (const hook of ['input', 'output'])
        await nft('add', 'chain', 'inet', 'silence', hook, `{ type filter hook ${hook} priority 0; policy drop; }`);
      const expired = /notification sent \(4,0\): Hold timer expired/;
      await reason(expired, promised(holdTimeMs));
      await staysDown(async () => {
        await nft('delete', 'table', 'inet', 'silence');
      }, expired);
    });
  },
);
