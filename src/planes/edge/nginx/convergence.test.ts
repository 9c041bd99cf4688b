import { describe, expect, it } from 'vitest';
import type { Backend, DataPlaneStatus, RoutingTable } from '../table.ts';
import {
  type Convergence,
  type Failure,
  failed,
  heard,
  type Message,
  newConvergence,
  next,
  type Push,
  pushed,
  putDone,
  type Settlement,
  statusOf,
  wantEndpoints,
  wantSetting,
  wantTable,
} from './convergence.ts';

const backend = (key: string, port: number): Backend => ({ key, endpoints: [{ address: '10.0.0.1', port }] });
const table = (host: string, ...backends: readonly Backend[]): RoutingTable => ({
  hosts: [{ name: host, paths: [] }],
  backends,
  certificates: [],
});
const status = (instance: string, generation: number): DataPlaneStatus => ({
  instance,
  generation,
  hosts: 0,
  backends: 0,
  certificates: 0,
  freeBytes: {},
  draining: false,
  activeConnections: 0,
});
const refused: Failure = { is: 'refused', error: new Error('SharedMemoryFull') };

/** A conversation with nginx, told line by line: what the driver says next, and what it is answered. */
class Talk {
  state: Convergence = newConvergence();
  nowMs = 0;
  settled: Settlement[] = [];
  #flight: Message | undefined;

  /** What is said next: `ask`, `everything`, `change`, `beside`, `health`, `draining`, or `wait N`. */
  says(): string {
    const step = next(this.state, this.nowMs);
    this.#take(step.state, step.settled);
    if ('waitMs' in step) return `wait ${step.waitMs}`;
    this.#flight = step.message;
    if (step.message.do === 'ask') return 'ask';
    if (step.message.do === 'put') return step.message.setting;
    const { of, from, delta } = step.message;
    const names = delta.backends.upsert.map(({ key, endpoints }) => `${key}:${endpoints[0]?.port}`);
    const how = of === 'beside' ? 'beside' : from === undefined ? 'everything' : 'change';
    return [how, ...delta.hosts.upsert.map(({ name }) => name), ...names].join(' ');
  }

  /** nginx says how it is, or takes what was said as its next generation. */
  is(instance: string, generation: number): this {
    const message = this.#land();
    if (message.do === 'ask') this.state = heard(this.state, message, status(instance, generation));
    else if (message.do === 'push') {
      const { state, settled } = pushed(this.state, message, generation);
      this.#take(state, settled);
    } else {
      const { state, settled } = putDone(this.state, message);
      this.#take(state, settled);
    }
    return this;
  }

  fails(failure: Failure): this {
    const { state, settled } = failed(this.state, this.#land(), failure);
    this.#take(state, settled);
    return this;
  }

  /** Answered since this was asked last, as text. */
  get answers(): readonly string[] {
    return this.settled
      .splice(0)
      .map((one) => `${one.of} ${one.upTo} ${'error' in one ? 'refused' : `held by ${one.generation}`}`);
  }

  get flight(): Push {
    if (this.#flight?.do !== 'push') throw new Error('no push is in flight');
    return this.#flight;
  }

  #land(): Message {
    const message = this.#flight;
    if (message === undefined) throw new Error('nothing is in flight');
    this.#flight = undefined;
    return message;
  }

  #take(state: Convergence, settled: readonly Settlement[]): void {
    this.state = state;
    this.settled.push(...settled);
  }
}

/** nginx `i` holds table `www` with backends a:1 and b:1 as generation 1, and was just asked. */
function held(): Talk {
  const talk = new Talk();
  talk.state = wantTable(talk.state, table('www', backend('a', 1), backend('b', 1)));
  talk.says();
  talk.is('i', 0).says();
  talk.is('i', 1).says();
  talk.settled.splice(0);
  return talk;
}

describe('what is said to nginx', () => {
  it('is nothing but how it is, until somebody wants something', () => {
    const talk = new Talk();
    expect(talk.says()).toBe('ask');
    expect(talk.is('i', 7).says()).toBe('wait 250');
    talk.nowMs = 100;
    expect(talk.says()).toBe('wait 150');
    talk.nowMs = 250;
    expect(talk.says()).toBe('ask');
    expect(talk.answers).toEqual([]);
  });

  it('is everything at first, whatever nginx holds, and then what changes', () => {
    const talk = new Talk();
    talk.state = wantTable(talk.state, table('www', backend('a', 1)));
    expect(talk.says()).toBe('ask');
    expect(talk.is('i', 7).says()).toBe('everything www a:1');
    expect(talk.flight.base).toEqual({ instance: 'i', generation: 7 });
    expect(talk.is('i', 8).answers).toEqual(['table 1 held by 8']);
    talk.state = wantTable(talk.state, table('www', backend('a', 2)));
    expect(talk.says()).toBe('change a:2');
    expect(talk.flight.base).toEqual({ instance: 'i', generation: 8 });
    expect(talk.is('i', 9).says()).toBe('wait 250');
    expect(statusOf(talk.state)).toMatchObject({ generation: 9, hosts: 1, backends: 1 });
  });

  it('is nothing for what it holds already, and the callers are answered', () => {
    const talk = held();
    talk.state = wantTable(talk.state, table('www', backend('a', 1), backend('b', 1)));
    expect(talk.says()).toBe('wait 250');
    talk.state = wantEndpoints(talk.state, [backend('unknown', 1)]);
    expect(talk.says()).toBe('wait 250');
    expect(talk.answers).toEqual(['table 2 held by 1', 'table 3 held by 1']);
  });

  it('is only the backends whose endpoints changed, also those that change while a change is in flight', () => {
    const talk = held();
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    expect(talk.says()).toBe('change a:2');
    talk.state = wantEndpoints(talk.state, [backend('b', 2)]);
    expect(talk.is('i', 2).answers).toEqual(['table 2 held by 2']);
    expect(talk.says()).toBe('change b:2');
    expect(talk.is('i', 3).answers).toEqual(['table 3 held by 3']);
  });

  it('is everything again after nginx started anew, and after somebody else changed its table', () => {
    const talk = held();
    talk.nowMs = 250;
    expect(talk.says()).toBe('ask');
    expect(talk.is('j', 0).says()).toBe('everything www a:1 b:1');
    talk.is('j', 1);
    talk.nowMs = 500;
    expect(talk.says()).toBe('ask');
    expect(talk.is('j', 2).says()).toBe('everything www a:1 b:1');
  });

  it('is how it is after a failure, and everything only when its table is not the one that we know', () => {
    const talk = held();
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    talk.says();
    talk.fails({ is: 'lost' });
    expect(talk.says()).toBe('ask');
    expect(talk.is('i', 1).says()).toBe('change a:2');
    talk.fails({ is: 'busy', error: 'Busy' });
    expect(talk.says()).toBe('ask');
    // It had been taken after all.
    expect(talk.is('i', 2).says()).toBe('everything www a:2 b:1');
    expect(talk.answers).toEqual([]);
  });

  it('is everything after nginx said that a change starts from another table', () => {
    const talk = held();
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    expect(talk.says()).toBe('change a:2');
    talk.fails({ is: 'mismatch', error: 'GenerationMismatch' });
    expect(talk.says()).toBe('ask');
    expect(talk.is('i', 1).says()).toBe('everything www a:2 b:1');
  });
});

describe('whether nginx is there', () => {
  it('is not doubted for one lost connection, but for two in a row', () => {
    const talk = held();
    talk.nowMs = 250;
    talk.says();
    talk.fails({ is: 'lost' });
    expect(statusOf(talk.state)?.instance).toBe('i');
    talk.says();
    talk.is('i', 1);
    expect(talk.says()).toBe('wait 250');
    talk.nowMs = 500;
    talk.says();
    talk.fails({ is: 'lost' });
    talk.says();
    talk.fails({ is: 'lost' });
    expect(statusOf(talk.state)).toBeUndefined();
    talk.says();
    talk.is('i', 1);
    expect(talk.says()).toBe('wait 250');
  });

  it('is not doubted for refusals', () => {
    const talk = held();
    for (let times = 0; times < 5; times += 1) {
      talk.state = wantTable(talk.state, table(`www${times}`));
      talk.says();
      talk.fails(refused);
      talk.says();
      talk.is('i', 1);
    }
    expect(statusOf(talk.state)?.instance).toBe('i');
  });
});

describe('a table that nginx refuses', () => {
  /** nginx holds `www` and has refused `new`, which has other endpoints for a. */
  function withRefusal(): Talk {
    const talk = held();
    talk.state = wantTable(talk.state, table('new', backend('a', 2), backend('b', 1), backend('c', 1)));
    expect(talk.says()).toBe('change new a:2 c:1');
    expect(talk.fails(refused).answers).toEqual(['table 2 refused']);
    expect(talk.says()).toBe('ask');
    talk.is('i', 1);
    return talk;
  }

  it('is not sent again; the endpoints of the one before are still followed', () => {
    const talk = withRefusal();
    expect(talk.says()).toBe('beside a:2');
    talk.is('i', 2).says();
    talk.state = wantEndpoints(talk.state, [backend('b', 3), backend('c', 3)]);
    expect(talk.says()).toBe('beside b:3');
    expect(talk.is('i', 3).says()).toBe('wait 250');
    expect(talk.answers.at(-1)).toBe('table 3 held by 3');
  });

  it('is forgotten for another table', () => {
    const talk = withRefusal();
    talk.state = wantTable(talk.state, table('other', backend('a', 1), backend('b', 1)));
    expect(talk.says()).toBe('change other');
  });

  it('does not speak of a table that came while it was in flight', () => {
    const talk = held();
    talk.state = wantTable(talk.state, table('new', backend('a', 1)));
    talk.says();
    talk.state = wantTable(talk.state, table('newer', backend('a', 1)));
    expect(talk.fails(refused).answers).toEqual(['table 2 refused']);
    talk.says();
    expect(talk.is('i', 1).says()).toBe('change newer');
  });

  it('is tried once with an nginx that started anew, which then gets the one before', () => {
    const talk = withRefusal();
    expect(talk.says()).toBe('beside a:2');
    talk.is('i', 2);
    talk.nowMs = 250;
    talk.says();
    expect(talk.is('j', 0).says()).toBe('everything new a:2 b:1 c:1');
    talk.fails(refused).says();
    expect(talk.is('j', 0).says()).toBe('beside www a:2 b:1');
    expect(talk.is('j', 1).says()).toBe('wait 250');
  });

  it('leaves nginx alone that refuses even the endpoints, until something changes', () => {
    const talk = withRefusal();
    expect(talk.says()).toBe('beside a:2');
    talk.fails(refused).says();
    expect(talk.is('i', 1).says()).toBe('wait 250');
    talk.state = wantEndpoints(talk.state, [backend('a', 3)]);
    expect(talk.says()).toBe('beside a:3');
  });

  it('leaves nginx as it is that never took one', () => {
    const talk = new Talk();
    talk.state = wantTable(talk.state, table('www', backend('a', 1)));
    talk.says();
    talk.is('i', 0).says();
    talk.fails(refused).says();
    expect(talk.is('i', 0).says()).toBe('wait 250');
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    expect(talk.says()).toBe('wait 250');
  });
});

describe('the settings', () => {
  it('are sent when they change and to every nginx that starts, and answered when it has them', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    expect(talk.says()).toBe('draining');
    expect(talk.is('i', 1).answers).toEqual(['draining 1 held by 1']);
    expect(statusOf(talk.state)?.draining).toBe(true);
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    expect(talk.says()).toBe('wait 250');
    expect(talk.answers).toContain('draining 1 held by 1');
    talk.nowMs = 250;
    talk.says();
    expect(talk.is('j', 0).says()).toBe('everything www a:1 b:1');
    expect(talk.is('j', 1).says()).toBe('draining');
  });

  it('are sent anew when they change while they are in flight', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    talk.says();
    talk.state = wantSetting(talk.state, 'draining', { draining: false });
    expect(talk.is('i', 1).answers).toEqual(['draining 1 held by 1']);
    expect(talk.says()).toBe('draining');
    expect(talk.is('i', 1).answers).toEqual(['draining 2 held by 1']);
  });

  it('tell the callers of a refusal, and are tried again; a lost connection tells nobody', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'health', { policies: [] });
    talk.says();
    expect(talk.fails({ is: 'lost' }).answers).toEqual([]);
    talk.says();
    expect(talk.is('i', 1).says()).toBe('health');
    expect(talk.fails(refused).answers).toEqual(['health 1 refused']);
    talk.says();
    expect(talk.is('i', 1).says()).toBe('health');
  });

  it('are not held up by a table that changes all the time, nor hold it up', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    talk.state = wantSetting(talk.state, 'health', { policies: [] });
    const said: string[] = [];
    for (let generation = 2; generation < 6; generation += 1) {
      talk.state = wantEndpoints(talk.state, [backend('a', generation)]);
      said.push(talk.says());
      talk.is('i', generation);
    }
    expect(said).toEqual(['health', 'change a:3', 'draining', 'change a:5']);
  });
});
