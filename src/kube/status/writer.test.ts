import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { silentLog } from '../../runtime/log.ts';
import { Registry } from '../../runtime/metrics.ts';
import { ApiError, type KubeClient, type KubeRequest } from '../api/client.ts';
import { createClientMetrics, createSourceMetrics, createWatchMetrics } from '../metrics.ts';
import type { ObjectReference } from '../objects/reference.ts';
import type { StatusWish } from './contest.ts';
import type { EventWish } from './event.ts';
import { EventWriter } from './events.ts';
import { writeMetrics } from './metrics.ts';
import { StatusWriter } from './writer.ts';

/** A client that gives prepared answers and records the requests. A real API server is used in test/clusters. */
class Recorder implements KubeClient {
  readonly server = 'https://recorder';
  readonly requests: (KubeRequest & { readonly atMs: number })[] = [];
  answer: () => Promise<unknown> = async () => ({});
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  request<T>(request: KubeRequest): Promise<T> {
    this.requests.push({ ...request, atMs: this.#clock.monotonic() });
    return this.answer() as Promise<T>;
  }

  list = (): Promise<never> => Promise.reject(new Error('no list here'));
  stream = (): Promise<never> => Promise.reject(new Error('no watch here'));

  async close(): Promise<void> {}
}

function rig() {
  const clock = new FakeClock(0);
  const client = new Recorder(clock);
  const metrics = writeMetrics(new Registry());
  let allowedMs = 10_000;
  const common = {
    client,
    fieldManager: 'tideline-edge',
    clock,
    random: () => 0,
    log: silentLog,
    metrics,
    allowedForMs: () => allowedMs,
  };
  return {
    clock,
    client,
    metrics,
    writer: new StatusWriter(common),
    events: new EventWriter({ ...common, reporter: { controller: 'tideline-edge', instance: 'b1', action: 'Serve' } }),
    allow: (ms: number): void => {
      allowedMs = ms;
    },
  };
}

/** Waits until every promise has settled, however long their chain is. */
async function settle(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await clock.advance(0);
}

function ingress(name: string): ObjectReference {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    resource: 'ingresses',
    namespace: 'video',
    name,
    uid: name,
  };
}

function wish(name: string, wanted: object | undefined = { ip: 1 }, held?: object): StatusWish {
  return { object: ingress(name), wanted, held };
}

const notAllowed = new ApiError(
  403,
  'Forbidden',
  'edgepools.tideline.dev "paris" is forbidden: User "tideline:edge:b1" cannot patch resource "edgepools/status" in API group "tideline.dev" at the cluster scope',
);
const denied = new ApiError(403, 'Forbidden', 'admission webhook "policy.video" denied the request: frozen');
const ending = new ApiError(
  403,
  'Forbidden',
  'events "web.1" is forbidden: unable to create new content in namespace ending because it is being terminated',
);

const many = (count: number): readonly StatusWish[] => Array.from({ length: count }, (_, index) => wish(`i${index}`));

it('has metrics of other names than the source that lives in the same registry', () => {
  const registry = new Registry();
  const clock = new FakeClock();
  createSourceMetrics(registry, clock);
  createWatchMetrics(registry, clock);
  createClientMetrics(registry, () => 0);
  expect(() => writeMetrics(registry)).not.toThrow();
});

describe('StatusWriter', () => {
  it('applies without force, as our manager, guarded by the version that was read', async () => {
    const { writer, client, clock } = rig();
    writer.set([wish('web')]);
    await clock.advance(10);
    expect(client.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/apis/networking.k8s.io/v1/namespaces/video/ingresses/web/status',
      query: { fieldManager: 'tideline-edge', force: false, timeout: '5000ms' },
      contentType: 'application/apply-patch+yaml',
      body: { kind: 'Ingress', metadata: { name: 'web', namespace: 'video' }, status: { ip: 1 } },
    });
    expect(writer.status().waiting).toBe(1);
    writer.set([wish('web', { ip: 1 }, { ip: 1 })]);
    await clock.advance(100_000);
    expect(client.requests).toHaveLength(1);
    expect(writer.status().waiting).toBe(0);
  });

  it('writes a burst and then ten a second, whatever is asked for meanwhile', async () => {
    const { writer, client, clock } = rig();
    writer.set(many(500));
    await settle(clock);
    expect(client.requests).toHaveLength(50);
    for (let turn = 0; turn < 50; turn += 1) {
      writer.set(many(500));
      await clock.advance(100);
    }
    expect(client.requests.length).toBeGreaterThan(90);
    expect(client.requests.length).toBeLessThanOrEqual(101);
    expect(new Set(client.requests.map(({ path }) => path)).size).toBe(client.requests.length);
  });

  it('writes the newest wish of an object, once', async () => {
    const { writer, client, clock, allow } = rig();
    allow(0);
    for (let ip = 1; ip <= 5; ip += 1) writer.set([wish('web', { ip })]);
    await clock.advance(5000);
    expect(client.requests).toEqual([]);
    allow(10_000);
    writer.wake();
    await clock.advance(5000);
    expect(client.requests.map(({ body }) => body)).toEqual([expect.objectContaining({ status: { ip: 5 } })]);
  });

  it('begins nothing that could not end in time, and tells the server how long it may take', async () => {
    const { writer, client, clock, allow } = rig();
    allow(900);
    writer.set([wish('web')]);
    await clock.advance(5000);
    expect(client.requests).toEqual([]);
    allow(2500);
    writer.wake();
    await clock.advance(1);
    expect(client.requests[0]).toMatchObject({ timeoutMs: 2500, query: { timeout: '2500ms' } });
  });

  it('leaves an API in trouble alone, as long as it asks for', async () => {
    const { writer, client, clock } = rig();
    client.answer = () => Promise.reject(new ApiError(429, 'TooManyRequests', 'later', 20_000));
    writer.set(many(5));
    await clock.advance(19_000);
    expect(client.requests).toHaveLength(1);
    client.answer = () => Promise.reject(new ApiError(0, 'Unreachable', 'gone'));
    await clock.advance(60_000);
    expect(client.requests.length).toBeLessThan(9);
    client.answer = async () => ({});
    await clock.advance(60_000);
    expect(new Set(client.requests.map(({ path }) => path)).size).toBe(5);
  });

  it('writes one kind while it may not write another', async () => {
    const { writer, client, clock, metrics } = rig();
    client.answer = () => {
      const { path } = client.requests.at(-1) ?? { path: '' };
      return path.includes('edgepools') ? Promise.reject(notAllowed) : Promise.resolve({});
    };
    const pool = { apiVersion: 'tideline.dev/v1alpha1', kind: 'EdgePool', resource: 'edgepools', name: 'paris' };
    writer.set([{ object: pool, wanted: { ip: 1 }, held: undefined }, ...many(3)]);
    await settle(clock);
    expect(client.requests.map(({ path }) => path.split('/').at(-2))).toEqual(['paris', 'i0', 'i1', 'i2']);
    expect((await metrics.writes.get()).values.map(({ labels, value }) => [labels.kind, labels.result, value])).toEqual(
      [
        ['EdgePool', 'forbidden', 1],
        ['Ingress', 'written', 3],
      ],
    );
  });

  it('writes the other objects of a kind while a policy refuses one of them', async () => {
    const { writer, client, clock } = rig();
    client.answer = () => {
      const { path } = client.requests.at(-1) ?? { path: '' };
      return path.includes('/i0/') ? Promise.reject(denied) : Promise.resolve({});
    };
    writer.set(many(3));
    await settle(clock);
    expect(client.requests.map(({ path }) => path.split('/').at(-2))).toEqual(['i0', 'i1', 'i2']);
  });

  it.each([
    [
      'a webhook that cannot be called',
      new ApiError(500, 'InternalError', 'failed calling webhook "policy.video": refused'),
    ],
    [
      'a webhook that denies with 429',
      new ApiError(429, 'TooManyRequests', 'admission webhook "policy.video" denied the request: no', 9e6),
    ],
    [
      'a policy that denies with 401',
      new ApiError(
        401,
        'Unauthorized',
        `ingresses "i1" is forbidden: ValidatingAdmissionPolicy 'p' denied request: no`,
      ),
    ],
  ])('writes the other namespaces within a second while %s stands before one of them', async (_, error) => {
    const { writer, client, clock } = rig();
    client.answer = () => {
      const { path } = client.requests.at(-1) ?? { path: '' };
      return path.includes('/video/') ? Promise.reject(error) : Promise.resolve({});
    };
    const others = many(10).map((one) => ({ ...one, object: { ...one.object, namespace: 'news' } }));
    writer.set([...many(20), ...others]);
    await settle(clock);
    await clock.advance(1000);
    const written = client.requests.filter(({ path }) => path.includes('/news/'));
    expect(written).toHaveLength(10);
  });

  it('tries a namespace whose webhook was repaired within a minute', async () => {
    const { writer, client, clock } = rig();
    client.answer = () => Promise.reject(new ApiError(500, 'InternalError', 'failed calling webhook'));
    writer.set(many(3));
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) await clock.advance(1000);
    };
    await pass(600);
    const before = client.requests.length;
    expect(before).toBeLessThan(30);
    client.answer = async () => ({});
    await pass(65);
    expect(new Set(client.requests.slice(before).map(({ path }) => path)).size).toBe(3);
  });

  it('reports once that another manager owns the status', async () => {
    const { client, clock, writer: _, ...parts } = rig();
    const told: string[] = [];
    const writer = new StatusWriter({
      ...parts,
      client,
      clock,
      fieldManager: 'tideline-edge',
      random: () => 0,
      log: silentLog,
      allowedForMs: () => 10_000,
      onDispute: ({ object, reason, message }) => told.push(`${object.name}: ${reason}: ${message}`),
    });
    client.answer = () =>
      Promise.reject(new ApiError(409, 'Conflict', 'Apply failed with 1 conflict: conflict with "other"'));
    writer.set([wish('web', { ip: 1 }, { ip: 2 })]);
    await clock.advance(3_600_000);
    expect(told).toEqual(['web: OwnedByOther: Apply failed with 1 conflict: conflict with "other". It is left alone']);
    // The object was tried again after 5, 10, 20 and 30 minutes.
    expect(client.requests).toHaveLength(4);
    expect(writer.status().ownedByOther).toEqual(['Ingress/video/web']);
  });
});

describe('EventWriter', () => {
  const refused: EventWish = {
    object: ingress('web'),
    type: 'Warning',
    reason: 'HostInvalid',
    note: 'x',
    fieldPath: 'spec.rules[0].host',
  };

  it('creates an Event once and renews it while it holds', async () => {
    const { events, client, clock } = rig();
    for (let turn = 0; turn < 50; turn += 1) {
      events.set([refused]);
      await clock.advance(1000);
    }
    expect(client.requests).toHaveLength(1);
    expect(client.requests[0]).toMatchObject({
      method: 'POST',
      path: '/apis/events.k8s.io/v1/namespaces/video/events',
      body: {
        reportingController: 'tideline-edge',
        reason: 'HostInvalid',
        regarding: { kind: 'Ingress', name: 'web', uid: 'web', fieldPath: 'spec.rules[0].host' },
      },
    });
    await clock.advance(40 * 60_000);
    expect(client.requests.slice(1)).toEqual([
      expect.objectContaining({
        method: 'PATCH',
        body: expect.objectContaining({ series: expect.objectContaining({ count: 2 }) }),
      }),
    ]);
  });

  it('raises the count of an Event that comes and goes at most every ten minutes', async () => {
    const { events, client, clock } = rig();
    for (let turn = 0; turn < 1100; turn += 1) {
      events.set(turn % 2 === 0 ? [refused] : []);
      await clock.advance(1000);
    }
    expect(client.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH']);
    expect(client.requests[1]?.body).toMatchObject({ series: { count: 300 } });
  });

  it('counts an Event that exists as written, and creates one again that the server has forgotten', async () => {
    const { events, client, clock } = rig();
    client.answer = () => Promise.reject(new ApiError(409, 'AlreadyExists', 'it exists'));
    events.set([refused]);
    await clock.advance(60_000);
    expect(client.requests).toHaveLength(1);
    client.answer = () => Promise.reject(new ApiError(404, 'NotFound', 'gone'));
    await clock.advance(10 * 60_000);
    client.answer = async () => ({});
    await clock.advance(60_000);
    expect(client.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
  });

  it('is not flooded by one object, nor by all', async () => {
    const { events, client, clock } = rig();
    const notes = Array.from({ length: 100 }, (_, index) => ({ ...refused, note: `note ${index}` }));
    const others = Array.from({ length: 20 }, (_, index) => ({ ...refused, object: ingress(`o${index}`) }));
    events.set([...notes, ...others]);
    await settle(clock);
    await clock.advance(60_000);
    const of = (name: string): number =>
      client.requests.filter(({ body }) => (body as { regarding: { name: string } }).regarding.name === name).length;
    // A burst of ten, and one more in the minute.
    expect(of('web')).toBe(11);
    expect(of('o7')).toBe(1);
    events.set([]);
    expect(events.waiting).toBe(0);
  });

  it('writes the Events of other namespaces while one namespace terminates for ever', async () => {
    const { events, client, clock } = rig();
    client.answer = () => {
      const { path } = client.requests.at(-1) ?? { path: '' };
      return path.includes('/ending/') ? Promise.reject(ending) : Promise.resolve({});
    };
    events.set([{ ...refused, object: { ...ingress('web'), namespace: 'ending' } }, refused]);
    await clock.advance(1000);
    expect(client.requests.map(({ path }) => path.split('/')[5])).toEqual(['ending', 'video']);
  });

  it('writes the Events of other namespaces within a second while a webhook fails for one', async () => {
    const { events, client, clock } = rig();
    client.answer = () => {
      const { path } = client.requests.at(-1) ?? { path: '' };
      const failure = new ApiError(500, 'InternalError', 'failed calling webhook "policy.video": refused');
      return path.includes('/broken/') ? Promise.reject(failure) : Promise.resolve({});
    };
    const broken = Array.from({ length: 10 }, (_, index) => ({
      ...refused,
      object: { ...ingress(`o${index}`), namespace: 'broken' },
    }));
    events.set([...broken, refused]);
    await settle(clock);
    await clock.advance(1000);
    expect(client.requests.some(({ path }) => path.includes('/video/'))).toBe(true);
    const before = client.requests.length;
    await clock.advance(600_000);
    expect(client.requests.length - before).toBeLessThan(40);
  });

  it('does not count what was not sent, however often it is woken', async () => {
    const { events, client, clock } = rig();
    events.set(Array.from({ length: 30 }, (_, index) => ({ ...refused, object: ingress(`o${index}`) })));
    await settle(clock);
    expect(client.requests).toHaveLength(25);
    for (let turn = 0; turn < 60; turn += 1) events.wake();
    await clock.advance(5000);
    expect(client.requests).toHaveLength(30);
  });

  it('does not write an Event that ended before it could be written', async () => {
    const { events, client, clock, allow } = rig();
    allow(0);
    events.set([refused]);
    events.set([]);
    allow(10_000);
    events.wake();
    await clock.advance(60_000);
    expect(client.requests).toEqual([]);
  });
});
