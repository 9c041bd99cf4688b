import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { silentLog } from '../../runtime/log.ts';
import { ApiError, type KubeClient, type KubeRequest } from '../api/client.ts';
import { Election } from './election.ts';
import type { Lease } from './record.ts';

/** One Lease in memory, with the rules that an API server has for its resourceVersion. */
class LeaseServer {
  lease: Lease | undefined;
  #version = 0;

  handle({ method = 'GET', body }: KubeRequest): Lease {
    if (method === 'GET') {
      if (this.lease === undefined) throw new ApiError(404, 'NotFound', 'no such lease');
      return this.lease;
    }
    const wanted = structuredClone(body) as Lease;
    if (method === 'POST' && this.lease !== undefined) throw new ApiError(409, 'AlreadyExists', 'it exists');
    if (method === 'PUT' && wanted.metadata.resourceVersion !== this.lease?.metadata.resourceVersion)
      throw new ApiError(409, 'Conflict', 'the object has been modified');
    this.#version += 1;
    this.lease = { ...wanted, metadata: { ...wanted.metadata, resourceVersion: String(this.#version) } };
    return this.lease;
  }
}

/** The state of the network for a candidate at this moment. */
interface Weather {
  delayMs: number;
  losesRequests: boolean;
  losesAnswers: boolean;
}

/**
 * The clock and the network of one machine: its wall clock is wrong by an offset, and none of its timers runs while it is
 * stopped.
 */
class Machine implements Clock {
  readonly weather: Weather = { delayMs: 5, losesRequests: false, losesAnswers: false };
  stopped = false;
  /** For how long the whole machine was suspended: only its wall clock shows that. */
  suspendedMs = 0;
  readonly #clock: FakeClock;
  readonly #offsetMs: number;
  readonly #held: (() => void)[] = [];

  constructor(clock: FakeClock, offsetMs: number) {
    this.#clock = clock;
    this.#offsetMs = offsetMs;
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs + this.suspendedMs;
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    let cancelled = false;
    const timer = this.#clock.setTimeout(() => this.run(() => (cancelled ? undefined : callback())), delayMs);
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  run(what: () => void): void {
    if (this.stopped) this.#held.push(what);
    else what();
  }

  resume(): void {
    this.stopped = false;
    for (const what of this.#held.splice(0)) what();
  }

  /** Makes the same machine after its program ended and was started again. */
  anew(): Machine {
    return new Machine(this.#clock, this.#offsetMs);
  }

  client(server: LeaseServer): KubeClient {
    return {
      server: 'https://lease',
      request: <T>(request: KubeRequest) => this.#request(server, request) as Promise<T>,
      list: () => Promise.reject(new Error('no list here')),
      stream: () => Promise.reject(new Error('no watch here')),
      close: async () => {},
    };
  }

  #request(server: LeaseServer, request: KubeRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const answer = (done: () => void): void => this.run(done);
      this.#clock.setTimeout(
        () => answer(() => reject(new ApiError(0, 'Unreachable', 'no answer'))),
        request.timeoutMs ?? 30_000,
      );
      const { delayMs, losesRequests, losesAnswers } = this.weather;
      if (losesRequests) return;
      // The server may still carry out, later, a request that the client gave up.
      this.#clock.setTimeout(() => {
        let settle: () => void;
        try {
          const lease = server.handle(request);
          settle = () => resolve(lease);
        } catch (error) {
          settle = () => reject(error);
        }
        if (!losesAnswers) this.#clock.setTimeout(() => answer(settle), delayMs);
      }, delayMs);
    });
  }
}

interface Candidate {
  machine: Machine;
  election: Election;
  life: number;
}

function candidate(clock: FakeClock, server: LeaseServer, index: number, offsetMs: number): Candidate {
  const machine = new Machine(clock, offsetMs);
  return { machine, life: 0, election: elect(machine, server, `blade-${index}-0`) };
}

/** Numbers in [0, 1) that look random and are the same in every run. */
function anyNumber(seed: number): () => number {
  let state = Math.abs(seed) % 2_147_483_647;
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function elect(machine: Machine, server: LeaseServer, identity: string): Election {
  const election = new Election({
    client: machine.client(server),
    fieldManager: 'tideline-edge',
    namespace: 'tideline-system',
    name: 'tideline-edge-paris',
    identity,
    clock: machine,
    random: anyNumber(identity.length * 7919 + machine.now()),
    log: silentLog,
  });
  election.stand();
  return election;
}

function world(offsets: readonly number[]) {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const candidates = offsets.map((offsetMs, index) => candidate(clock, server, index, offsetMs));
  // A stopped machine does not count: it writes nothing, and looks at its clock before it writes again.
  const leaders = (): number =>
    candidates.filter(({ machine, election }) => !machine.stopped && election.leading).length;
  return { clock, server, candidates, leaders };
}

const act = fc.oneof(
  fc.record({ what: fc.constant('delay' as const), who: fc.nat(2), ms: fc.integer({ min: 0, max: 20_000 }) }),
  fc.record({ what: fc.constantFrom('cut', 'deaf', 'heal', 'stop', 'go', 'kill', 'resign', 'stand'), who: fc.nat(2) }),
  fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
);
type Act = { readonly what: string; readonly who?: number; readonly ms?: number };

function perform({ what, ms = 0 }: Act, subject: Candidate, server: LeaseServer): void {
  const { machine } = subject;
  if (what === 'delay') machine.weather.delayMs = ms;
  else if (what === 'cut') machine.weather.losesRequests = true;
  else if (what === 'deaf') machine.weather.losesAnswers = true;
  else if (what === 'heal') Object.assign(machine.weather, { delayMs: 5, losesRequests: false, losesAnswers: false });
  else if (what === 'stop') machine.stopped = true;
  else if (what === 'go') machine.resume();
  else if (what === 'resign') machine.run(() => void subject.election.resign());
  else if (what === 'stand') machine.run(() => subject.election.stand());
  else if (what === 'kill') {
    // The earlier process never acts again, but its requests in flight still arrive.
    machine.stopped = true;
    subject.machine = machine.anew();
    subject.life += 1;
    subject.election = elect(subject.machine, server, `blade-${machine.now()}-${subject.life}`);
  }
}

describe('Election', () => {
  it('never has two leaders at a time, whatever the network and the machines do', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 5, maxLength: 25 }),
        fc.tuple(fc.constant(0), fc.integer({ min: -1e7, max: 1e7 }), fc.integer({ min: -1e7, max: 1e7 })),
        async (acts, offsets) => {
          const { clock, server, candidates, leaders } = world(offsets);
          for (const step of acts) {
            const subject = candidates['who' in step ? step.who : 0];
            if (subject !== undefined && step.what !== 'wait') perform(step, subject, server);
            const until = clock.monotonic() + (step.what === 'wait' ? step.ms : 500);
            while (clock.monotonic() < until) {
              await clock.advance(Math.min(250, until - clock.monotonic()));
              expect(leaders()).toBeLessThanOrEqual(1);
            }
          }
          // When no fault is left, there must be a leader, whatever happened before.
          for (const subject of candidates) {
            perform({ what: 'heal' }, subject, server);
            perform({ what: 'go' }, subject, server);
            subject.election.stand();
          }
          await clock.advance(60_000);
          expect(leaders()).toBe(1);
        },
      ),
      { numRuns: 120 },
    );
  }, 120_000);

  it('lets the next one lead at once after a release, and after the lease when the leader is gone', async () => {
    const { clock, server, candidates, leaders } = world([0, 3_600_000]);
    await clock.advance(3000);
    const [first, second] = candidates.toSorted((a) => (a.election.leading ? -1 : 1));
    expect([first?.election.leading, second?.election.leading]).toEqual([true, false]);
    expect(server.lease?.spec?.leaseTransitions).toBe(0);
    void first?.election.resign();
    await clock.advance(3000);
    expect([first?.election.leading, second?.election.leading]).toEqual([false, true]);
    expect(server.lease?.spec?.leaseTransitions).toBe(1);
    first?.election.stand();
    if (second !== undefined) second.machine.stopped = true;
    await clock.advance(9000);
    expect(first?.election.leading).toBe(false);
    await clock.advance(2000);
    expect(second?.election.leading).toBe(false);
    await clock.advance(8000);
    expect(first?.election.leading).toBe(true);
    second?.machine.resume();
    await clock.advance(60_000);
    expect(leaders()).toBe(1);
    expect(server.lease?.spec?.leaseTransitions).toBe(2);
  });

  it.each([10, 30, 60, 90, 120, 300])(
    'does not release what it won again while it resigned (after %i ms)',
    async (ms) => {
      const { clock, server, candidates, leaders } = world([0, 0]);
      await clock.advance(3000);
      const [first, second] = candidates.toSorted((a) => (a.election.leading ? -1 : 1));
      if (first === undefined || second === undefined) throw new Error('two stand');
      const identity = server.lease?.spec?.holderIdentity;
      // The renewal in flight is slow and its answer is lost; later requests are fast.
      first.machine.weather.delayMs = 100;
      first.machine.weather.losesAnswers = true;
      await clock.advance(2001);
      first.machine.weather.losesAnswers = false;
      first.machine.weather.delayMs = 5;
      void first.election.resign();
      await clock.advance(ms);
      first.election.stand();
      for (let turn = 0; turn < 400; turn += 1) {
        await clock.advance(50);
        expect(leaders()).toBeLessThanOrEqual(1);
        if (first.election.leading) expect(server.lease?.spec?.holderIdentity).toBe(identity);
      }
      expect(leaders()).toBe(1);
    },
  );

  it('stops before another may take over', async () => {
    const { clock, candidates } = world([0]);
    await clock.advance(100);
    const [only] = candidates;
    expect(only?.election.leadingForMs).toBeGreaterThan(9000);
    if (only !== undefined) only.machine.weather.losesRequests = true;
    await clock.advance(9000);
    expect(only?.election.leading).toBe(true);
    await clock.advance(3000);
    expect(only?.election.leading).toBe(false);
    expect(only?.election.status()).toMatchObject({ leading: false, error: 'no answer' });
  });

  it('does not lead any more when its machine was suspended, while which the monotonic clock stands still', async () => {
    const { clock, candidates } = world([0]);
    await clock.advance(100);
    const [only] = candidates;
    expect(only?.election.leading).toBe(true);
    if (only !== undefined) only.machine.suspendedMs = 10_000;
    expect(only?.election.leading).toBe(false);
  });

  it('refuses a deadline that leaves no margin', () => {
    const machine = new Machine(new FakeClock(), 0);
    const options = {
      client: machine.client(new LeaseServer()),
      namespace: 'n',
      name: 'l',
      fieldManager: 'f',
      identity: 'i',
      clock: machine,
    };
    expect(
      () => new Election({ ...options, random: () => 0, log: silentLog, leaseDurationMs: 5000, renewDeadlineMs: 5000 }),
    ).toThrow(RangeError);
  });
});
