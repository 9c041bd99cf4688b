import { beforeAll, expect, it } from 'vitest';
import { drainsOf } from '../../../src/planes/fleet/run/drain/handlers.ts';
import { gatesOf } from '../../../src/planes/fleet/run/gates/gates.ts';
import type { StepContext } from '../../../src/planes/fleet/run/handlers.ts';
import type { FleetWorld } from '../../../src/planes/fleet/run/world.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { peerOf, withEtcdMembers } from '../../support/etcd-members.ts';
import { eventuallyWith } from '../../support/eventually.ts';
import { moduleReach } from '../../support/salt/module-reach.ts';

/** The gate of etcd, and the hand-over of its lead, on real members. */
const etcd = withEtcdMembers();
const eventually = eventuallyWith({ timeoutMs: 60_000, everyMs: 200 });
const [zero, one, two, three] = ['site0-etcd0', 'site0-etcd1', 'site0-etcd2', 'site0-etcd3'] as const;
const three0 = [zero, one, two] as const;
const patience = { patienceMs: 3000, everyMs: 200, farewellMs: 2000, routersMs: 0 };
const said: string[] = [];

function world(...members: readonly string[]): FleetWorld {
  const documents = new Map(members.map((name) => [name, etcd().server(name).document]));
  return { documents, pools: [], api: () => Promise.reject(new Error('no API')), clock: systemClock };
}

async function context(of: FleetWorld, server: string): Promise<StepContext> {
  const wave = { cluster: 'site0', kind: 'etcd', servers: [server], steps: [] } as const;
  const reach = await moduleReach(of.documents);
  const run = { command: 'apply', checksum: 'run-1' };
  return { run, wave, reach, signal: AbortSignal.timeout(60_000), say: (line) => said.push(line) };
}

async function gate(...members: readonly string[]): Promise<string | undefined> {
  const own = world(...members);
  return gatesOf(own).EtcdHealthy({ servers: [zero] }, await context(own, zero));
}

const until = (says: RegExp | undefined, members: readonly string[]) =>
  eventually(async () => {
    const answer = await gate(...members);
    if (says === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatch(says);
    return true;
  });

const leader = async () => {
  const { members } = await etcd().call(zero, 'members');
  return (members as readonly { readonly name: string; readonly leader: boolean }[]).find((member) => member.leader)
    ?.name;
};

beforeAll(async () => {
  await etcd().install(three0);
  await etcd().start(...three0);
  await until(undefined, three0);
}, 120_000);

it('the member that leads hands the lead over before it is touched, and another one has nothing to hand over', async () => {
  const first = (await leader()) ?? '';
  const own = world(...three0);
  const drain = async () =>
    drainsOf(
      { ...own, api: () => Promise.resolve({ request: () => Promise.reject(new Error('no API')) }) },
      patience,
    ).drain({ do: 'drain', servers: [first] }, await context(own, first));
  expect(await drain()).toEqual([]);
  expect(said.join()).toMatch(new RegExp(`^etcd is led by site0-etcd\\d, and no longer by ${first}$`));
  expect(await leader()).not.toBe(first);
  said.length = 0;
  expect(await drain()).toEqual([]);
  expect(said).toEqual([]);
  await until(undefined, three0);
}, 120_000);

it('a learner does not let the next wave begin, and does when it has its vote', async () => {
  const four = [...three0, three];
  await etcd().install(four, [three]);
  await etcd().call(zero, 'add', { name: three, peer: peerOf(three) });
  expect(await gate(...three0)).toMatch(/^a member that was added has not started yet/);
  await etcd().call(three, 'join');
  await etcd().start(three);
  await until(new RegExp(`^${three} is a learner, which has no vote$`), four);
  await etcd().call(zero, 'promote', { name: three, peer: peerOf(three) });
  await until(undefined, four);
  expect(await gate(...three0)).toBe(`${three} is a member that the spec does not have`);
}, 120_000);

it('a member that is down is named, by whoever is left', async () => {
  await etcd().kill(three);
  const four = [...three0, three];
  await until(new RegExp(`${three}: .*; ${three} is not healthy`), four);
  await etcd().kill(two);
  await until(/no member answers|one more that is lost takes the quorum|do not agree/, four);
}, 120_000);
