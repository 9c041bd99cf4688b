import { afterEach, describe, expect, it } from 'vitest';
import { outageLines } from '../../../src/bgp/faults.ts';
import type { Speaker } from '../../../src/bgp/speaker.ts';
import { listeningLog } from '../../support/listening-log.ts';
import { promised } from '../../support/promised.ts';
import { eventually, route, World } from './world.ts';

const pods = ['10.10.1.0/26', '10.10.2.0/26'];
const vip = '192.0.2.10/32';
const lease = { seconds: 2, keeper: false };
/** What decision 56 and the README of src/bgp promise of a part that hangs, from the moment in which it does. */
const withinMs = {
  relaySilent: 5000 + 1000,
  relayKilled: 20_000,
  exabgpSilent: 6000 + 2000,
  exabgpKilled: 30_000,
  holdTime: 9000,
} as const;
/** The patience from now for what is promised within this time after `beganMs`. */
const within = (beganMs: number, ms: number) => ({
  timeoutMs: Math.max(0, beganMs + promised(ms) - performance.now()),
});

/** What is hung for less than was promised is left alone: the last sign of life may be so much older than the hang. */
const signOfLifeMs = 3000;
const notBefore = (beganMs: number, ms: number): void =>
  expect(performance.now() - beganMs).toBeGreaterThan(ms - signOfLifeMs);

let world: World;
const stopped: number[] = [];
afterEach(async () => {
  for (const pid of stopped.splice(0)) signal(pid, 'SIGCONT');
  await world.stop();
});

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended, as some of these tests want.
  }
}

function hang(pid: number): void {
  stopped.push(pid);
  signal(pid, 'SIGSTOP');
}

const outage = (speaker: Speaker): readonly string[] =>
  outageLines(speaker.status()).map((line) => line.split(':')[0] ?? '');

describe('a worker', () => {
  it('says that its relay hangs, which is killed and started anew, without losing a route', async () => {
    const lines: string[] = [];
    world = await World.start();
    const speaker = world.speaker({ log: listeningLog(lines) });
    speaker.setDesired(pods.map((prefix) => route(prefix)));
    await speaker.settled(10_000);
    await world.waitKernel(pods);
    const deletions = await world.watchDeletions();
    const hung = await world.relayPid();
    const begin = performance.now();
    hang(hung);
    const said = (): boolean => outage(speaker).join() === 'RelaySilent';
    await eventually('it says so', said, within(begin, withinMs.relaySilent));
    console.log(`the relay hangs: said after ${(performance.now() - begin).toFixed(0)} ms`);
    expect(speaker.status().neighbors).toMatchObject([{ up: false, reason: 'RelaySilent' }]);
    expect(lines.filter((line) => line.includes('RelaySilent'))).toHaveLength(1);
    const another = async (): Promise<boolean> => ![hung, 0].includes(await world.relayPid());
    await eventually('another relay', another, within(begin, withinMs.relayKilled));
    notBefore(begin, withinMs.relayKilled);
    console.log(`the relay hangs: another one after ${(performance.now() - begin).toFixed(0)} ms`);
    await eventually('all is well', () => speaker.status().relay === 'synced' && outage(speaker).length === 0, {
      timeoutMs: 20_000,
    });
    expect(await deletions()).toEqual([]);
    await world.waitKernel(pods);
  });

  it('says that ExaBGP hangs, which is killed in the end so that its service can start it anew', async () => {
    const lines: string[] = [];
    world = await World.start();
    const speaker = world.speaker({ log: listeningLog(lines) });
    speaker.setDesired(pods.map((prefix) => route(prefix)));
    await speaker.settled(10_000);
    await world.waitKernel(pods);
    const begin = performance.now();
    hang(world.exabgp.daemon.pid);
    const said = (): boolean => outage(speaker).join() === 'ExabgpSilent';
    await eventually('it says so', said, within(begin, withinMs.exabgpSilent));
    console.log(`ExaBGP hangs: said after ${(performance.now() - begin).toFixed(0)} ms`);
    expect(speaker.status().neighbors).toMatchObject([{ up: false, reason: 'ExabgpSilent' }]);
    const dropped = async (): Promise<boolean> => (await world.kernelRoutes()).length === 0;
    await eventually('the router drops the routes', dropped, within(begin, withinMs.holdTime));
    const killed = (): boolean => !world.exabgp.daemon.running;
    await eventually('ExaBGP is killed', killed, within(begin, withinMs.exabgpKilled));
    notBefore(begin, withinMs.exabgpKilled);
    console.log(`ExaBGP hangs: killed after ${(performance.now() - begin).toFixed(0)} ms`);
    await world.startExabgp();
    await world.waitKernel(pods, 30_000);
    await eventually('all is well', () => speaker.status().relay === 'synced' && outage(speaker).length === 0);
    expect(lines.filter((line) => line.includes('ExabgpSilent'))).toHaveLength(1);
  });
});

describe('a blade', () => {
  it('loses its VIP although its agent and its relay both hang', async () => {
    world = await World.start(lease);
    const agent = await world.agent([route(vip, 'vip')], lease);
    await world.waitKernel([vip]);
    const begin = performance.now();
    hang(agent.pid ?? -1);
    hang(await world.relayPid());
    await world.waitKernel([], promised(withinMs.relayKilled + 1000 * lease.seconds));
    notBefore(begin, withinMs.relayKilled);
    console.log(`agent and relay hang: VIP withdrawn after ${(performance.now() - begin).toFixed(0)} ms`);
  });
});
