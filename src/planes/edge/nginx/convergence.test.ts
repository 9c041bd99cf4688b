import { describe, expect, it } from 'vitest';
import type { Backend, DataPlaneStatus, RoutingTable } from '../table.ts';
import {
  type Convergence,
  type Failure,
  type Message,
  messageFailed,
  newConvergence,
  nextMessage,
  type Push,
  pushAcknowledged,
  putAcknowledged,
  type Settlement,
  statusOf,
  statusReceived,
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
  refusedPairs: {},
  refusedHandshakes: 0,
  answered: {},
  workers: [],
  tries: {},
  backendTries: {},
});
const refused: Failure = { is: 'refused', error: new Error('SharedMemoryFull') };

/** A conversation with nginx, message by message: what the driver sends next, and what nginx answers. */
class Talk {
  state: Convergence = newConvergence();
  nowMs = 0;
  settled: Settlement[] = [];
  #flight: Message | undefined;

  /**
   * Sends the next message; returns it as `ask`, `everything`, `change`, `fallback`, `health`, `draining`, or `wait N`.
   */
  send(): string {
    const step = nextMessage(this.state, this.nowMs);
    this.#take(step.state, step.settled);
    if ('waitMs' in step) return `wait ${step.waitMs}`;
    this.#flight = step.message;
    if (step.message.do === 'ask') return 'ask';
    if (step.message.do === 'put') return step.message.setting;
    const { of, from, delta } = step.message;
    const names = delta.backends.upsert.map(({ key, endpoints }) => `${key}:${endpoints[0]?.port}`);
    const how = of === 'fallback' ? 'fallback' : from === undefined ? 'everything' : 'change';
    return [how, ...delta.hosts.upsert.map(({ name }) => name), ...names].join(' ');
  }

  /** nginx answers the status call, or takes the message as its next generation. */
  answer(instance: string, generation: number): this {
    const message = this.#land();
    if (message.do === 'ask') this.state = statusReceived(this.state, message, status(instance, generation));
    else if (message.do === 'push') {
      const { state, settled } = pushAcknowledged(this.state, message, generation);
      this.#take(state, settled);
    } else {
      const { state, settled } = putAcknowledged(this.state, message);
      this.#take(state, settled);
    }
    return this;
  }

  fail(failure: Failure): this {
    const { state, settled } = messageFailed(this.state, this.#land(), failure);
    this.#take(state, settled);
    return this;
  }

  /** The settlements since the last call of this getter, as text. */
  get settlements(): readonly string[] {
    return this.settled
      .splice(0)
      .map((one) => `${one.of} ${one.upTo} ${'error' in one ? 'refused' : `held by ${one.generation}`}`);
  }

  get pushInFlight(): Push {
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
  talk.send();
  talk.answer('i', 0).send();
  talk.answer('i', 1).send();
  talk.settled.splice(0);
  return talk;
}

describe('what is sent to nginx', () => {
  it('is nothing but status calls, until a caller wants something', () => {
    const talk = new Talk();
    expect(talk.send()).toBe('ask');
    expect(talk.answer('i', 7).send()).toBe('wait 250');
    talk.nowMs = 100;
    expect(talk.send()).toBe('wait 150');
    talk.nowMs = 250;
    expect(talk.send()).toBe('ask');
    expect(talk.settlements).toEqual([]);
  });

  it('is everything at first, whatever nginx holds, and then only what changes', () => {
    const talk = new Talk();
    talk.state = wantTable(talk.state, table('www', backend('a', 1)));
    expect(talk.send()).toBe('ask');
    expect(talk.answer('i', 7).send()).toBe('everything www a:1');
    expect(talk.pushInFlight.base).toEqual({ instance: 'i', generation: 7 });
    expect(talk.answer('i', 8).settlements).toEqual(['table 1 held by 8']);
    talk.state = wantTable(talk.state, table('www', backend('a', 2)));
    expect(talk.send()).toBe('change a:2');
    expect(talk.pushInFlight.base).toEqual({ instance: 'i', generation: 8 });
    expect(talk.answer('i', 9).send()).toBe('wait 250');
    expect(statusOf(talk.state)).toMatchObject({ generation: 9, hosts: 1, backends: 1 });
  });

  it('is nothing when nginx holds it already, and the callers are answered', () => {
    const talk = held();
    talk.state = wantTable(talk.state, table('www', backend('a', 1), backend('b', 1)));
    expect(talk.send()).toBe('wait 250');
    talk.state = wantEndpoints(talk.state, [backend('unknown', 1)]);
    expect(talk.send()).toBe('wait 250');
    expect(talk.settlements).toEqual(['table 2 held by 1', 'table 3 held by 1']);
  });

  it('is only the backends whose endpoints changed, also those that change while a change is in flight', () => {
    const talk = held();
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    expect(talk.send()).toBe('change a:2');
    talk.state = wantEndpoints(talk.state, [backend('b', 2)]);
    expect(talk.answer('i', 2).settlements).toEqual(['table 2 held by 2']);
    expect(talk.send()).toBe('change b:2');
    expect(talk.answer('i', 3).settlements).toEqual(['table 3 held by 3']);
  });

  it('is everything again after nginx started anew, and after somebody else changed its table', () => {
    const talk = held();
    talk.nowMs = 250;
    expect(talk.send()).toBe('ask');
    expect(talk.answer('j', 0).send()).toBe('everything www a:1 b:1');
    talk.answer('j', 1);
    talk.nowMs = 500;
    expect(talk.send()).toBe('ask');
    expect(talk.answer('j', 2).send()).toBe('everything www a:1 b:1');
  });

  it('is a status call after a failure, and everything only when the table of nginx is not the one that we know', () => {
    const talk = held();
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    talk.send();
    talk.fail({ is: 'lost' });
    expect(talk.send()).toBe('ask');
    expect(talk.answer('i', 1).send()).toBe('change a:2');
    talk.fail({ is: 'busy', error: 'Busy' });
    expect(talk.send()).toBe('ask');
    // nginx had taken the change after all.
    expect(talk.answer('i', 2).send()).toBe('everything www a:2 b:1');
    expect(talk.settlements).toEqual([]);
  });

  it('is everything after nginx said that a change starts from another table', () => {
    const talk = held();
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    expect(talk.send()).toBe('change a:2');
    talk.fail({ is: 'mismatch', error: 'GenerationMismatch' });
    expect(talk.send()).toBe('ask');
    expect(talk.answer('i', 1).send()).toBe('everything www a:2 b:1');
  });
});

describe('whether nginx is there', () => {
  it('is not doubted for one lost connection, but for two in a row', () => {
    const talk = held();
    talk.nowMs = 250;
    talk.send();
    talk.fail({ is: 'lost' });
    expect(statusOf(talk.state)?.instance).toBe('i');
    talk.send();
    talk.answer('i', 1);
    expect(talk.send()).toBe('wait 250');
    talk.nowMs = 500;
    talk.send();
    talk.fail({ is: 'lost' });
    talk.send();
    talk.fail({ is: 'lost' });
    expect(statusOf(talk.state)).toBeUndefined();
    talk.send();
    talk.answer('i', 1);
    expect(talk.send()).toBe('wait 250');
  });

  it('is not doubted for refusals', () => {
    const talk = held();
    for (let times = 0; times < 5; times += 1) {
      talk.state = wantTable(talk.state, table(`www${times}`));
      talk.send();
      talk.fail(refused);
      talk.send();
      talk.answer('i', 1);
    }
    expect(statusOf(talk.state)?.instance).toBe('i');
  });
});

describe('a table that nginx refuses', () => {
  /** nginx holds `www` and has refused `new`, which has other endpoints for a. */
  function withRefusal(): Talk {
    const talk = held();
    talk.state = wantTable(talk.state, table('new', backend('a', 2), backend('b', 1), backend('c', 1)));
    expect(talk.send()).toBe('change new a:2 c:1');
    expect(talk.fail(refused).settlements).toEqual(['table 2 refused']);
    expect(talk.send()).toBe('ask');
    talk.answer('i', 1);
    return talk;
  }

  it('is not sent again; the endpoints of the one before are still followed', () => {
    const talk = withRefusal();
    expect(talk.send()).toBe('fallback a:2');
    talk.answer('i', 2).send();
    talk.state = wantEndpoints(talk.state, [backend('b', 3), backend('c', 3)]);
    expect(talk.send()).toBe('fallback b:3');
    expect(talk.answer('i', 3).send()).toBe('wait 250');
    expect(talk.settlements.at(-1)).toBe('table 3 held by 3');
  });

  it('is forgotten for another table', () => {
    const talk = withRefusal();
    talk.state = wantTable(talk.state, table('other', backend('a', 1), backend('b', 1)));
    expect(talk.send()).toBe('change other');
  });

  it('says nothing about a newer table that was wanted while it was in flight', () => {
    const talk = held();
    talk.state = wantTable(talk.state, table('new', backend('a', 1)));
    talk.send();
    talk.state = wantTable(talk.state, table('newer', backend('a', 1)));
    expect(talk.fail(refused).settlements).toEqual(['table 2 refused']);
    talk.send();
    expect(talk.answer('i', 1).send()).toBe('change newer');
  });

  it('is tried once with an nginx that started anew, which then gets the one before', () => {
    const talk = withRefusal();
    expect(talk.send()).toBe('fallback a:2');
    talk.answer('i', 2);
    talk.nowMs = 250;
    talk.send();
    expect(talk.answer('j', 0).send()).toBe('everything new a:2 b:1 c:1');
    talk.fail(refused).send();
    expect(talk.answer('j', 0).send()).toBe('fallback www a:2 b:1');
    expect(talk.answer('j', 1).send()).toBe('wait 250');
  });

  it('leaves nginx alone that refuses even the endpoints, until something changes', () => {
    const talk = withRefusal();
    expect(talk.send()).toBe('fallback a:2');
    talk.fail(refused).send();
    expect(talk.answer('i', 1).send()).toBe('wait 250');
    talk.state = wantEndpoints(talk.state, [backend('a', 3)]);
    expect(talk.send()).toBe('fallback a:3');
  });

  it('leaves nginx as it is that never took one', () => {
    const talk = new Talk();
    talk.state = wantTable(talk.state, table('www', backend('a', 1)));
    talk.send();
    talk.answer('i', 0).send();
    talk.fail(refused).send();
    expect(talk.answer('i', 0).send()).toBe('wait 250');
    talk.state = wantEndpoints(talk.state, [backend('a', 2)]);
    expect(talk.send()).toBe('wait 250');
  });
});

describe('the settings', () => {
  it('are sent when they change and to every nginx that starts, and answered when it has them', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    expect(talk.send()).toBe('draining');
    expect(talk.answer('i', 1).settlements).toEqual(['draining 1 held by 1']);
    expect(statusOf(talk.state)?.draining).toBe(true);
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    expect(talk.send()).toBe('wait 250');
    expect(talk.settlements).toContain('draining 1 held by 1');
    talk.nowMs = 250;
    talk.send();
    expect(talk.answer('j', 0).send()).toBe('everything www a:1 b:1');
    expect(talk.answer('j', 1).send()).toBe('draining');
  });

  it('are sent anew when they change while they are in flight', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    talk.send();
    talk.state = wantSetting(talk.state, 'draining', { draining: false });
    expect(talk.answer('i', 1).settlements).toEqual(['draining 1 held by 1']);
    expect(talk.send()).toBe('draining');
    expect(talk.answer('i', 1).settlements).toEqual(['draining 2 held by 1']);
  });

  it('tell the callers of a refusal, and are tried again; a lost connection tells nobody', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'health', { policies: [], watched: [], measured: [], accessLog: 'sampled' });
    talk.send();
    expect(talk.fail({ is: 'lost' }).settlements).toEqual([]);
    talk.send();
    expect(talk.answer('i', 1).send()).toBe('health');
    expect(talk.fail(refused).settlements).toEqual(['health 1 refused']);
    talk.send();
    expect(talk.answer('i', 1).send()).toBe('health');
  });

  it('are not held up by a table that changes all the time, nor hold it up', () => {
    const talk = held();
    talk.state = wantSetting(talk.state, 'draining', { draining: true });
    talk.state = wantSetting(talk.state, 'health', { policies: [], watched: [], measured: [], accessLog: 'sampled' });
    const said: string[] = [];
    for (let generation = 2; generation < 6; generation += 1) {
      talk.state = wantEndpoints(talk.state, [backend('a', generation)]);
      said.push(talk.send());
      talk.answer('i', generation);
    }
    expect(said).toEqual(['health', 'change a:3', 'draining', 'change a:5']);
  });
});
