import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listeningLog } from '../../test/support/listening-log.ts';
import { snapshotFile } from '../kube/last-good.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import type { ClusterListener, ClusterSource, SourceStatus } from '../kube/source.ts';
import { type ObjectsByKind, stateOf } from '../kube/state.ts';
import { decidingOverlay, withOverlays } from '../model/platform/overlays.ts';
import { fullTrust, type Trust } from '../model/platform/trust.ts';
import { InputError } from '../model/problem.ts';
import type { SpecDocument } from '../model/spec/document.ts';
import { type ApiKindName, apiKindNames } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { readPaths } from '../platform/files.ts';
import { PlatformWatch } from '../platform/watch.ts';
import { systemClock } from '../runtime/clock.ts';
import { silentLog } from '../runtime/log.ts';
import { followApis } from './follow.ts';
import { PlatformApi } from './source.ts';

/** The API of a cluster, which a test fills and takes away. */
class FakeApi implements ClusterSource {
  #listener: ClusterListener | undefined;
  #status: SourceStatus = { phase: 'syncing' };
  #revision = 0;

  start(listener: ClusterListener): void {
    this.#listener = listener;
  }
  status(): SourceStatus {
    return this.#status;
  }
  doubting() {
    return { doubts: [], accepted: [] };
  }
  async stop(): Promise<void> {
    this.#listener = undefined;
  }

  /** The API answers, and these are its objects. */
  says(objects: readonly OwnObject<ApiKindName>[]): void {
    const byKind = new Map(
      apiKindNames.map((kind) => [
        kind,
        new Map(objects.filter((one) => one.kind === kind).map((one) => [one.metadata.name, one])),
      ]),
    ) as unknown as ObjectsByKind;
    this.#revision += 1;
    this.#listener?.onChange({ state: stateOf(this.#revision, byKind), keys: new Map() } as never);
    this.#set({ phase: 'live', sinceMs: 0 });
  }

  /** The API cannot be read. */
  isAway(): void {
    const trouble = { reason: 'SourceUnreachable', message: 'connection refused' } as const;
    this.#set(this.#revision === 0 ? { phase: 'syncing', ...trouble } : { phase: 'stale', sinceMs: 0, ...trouble });
  }

  #set(status: SourceStatus): void {
    this.#status = status;
    this.#listener?.onStatus(status);
  }
}

/** An agent of paris without a folder. */
interface Agent {
  readonly watch: PlatformWatch<Platform>;
  readonly apis: Readonly<Record<string, FakeApi>>;
  /** True once there is a platform. */
  readonly isUp: () => boolean;
  readonly log: readonly string[];
  readonly stop: () => Promise<void>;
}

let folder: string;
let spec: readonly OwnObject<ApiKindName>[];
let running: Agent[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-spec-api-'));
  const { documents } = await readPaths(['examples/hybrid']);
  spec = documents.map(objectIn);
  running = [];
});
afterEach(async () => {
  for (const agent of running) await agent.stop();
  await rm(folder, { recursive: true });
});

function objectIn({ value }: SpecDocument): OwnObject<ApiKindName> {
  const { kind, metadata, spec: said } = value as OwnObject<ApiKindName>;
  return { kind, metadata: { ...metadata, generation: 1 }, ...(said === undefined ? {} : { spec: said }) };
}

function drain(reason: string, more: object = {}): OwnObject<ApiKindName> {
  const target = { kind: 'Blade', name: 'paris-blade-1' };
  const said = { target, reason, expires: '2099-01-01T00:00:00Z', ...more };
  return { kind: 'Drain', metadata: { name: 'd', generation: 1 }, spec: said };
}

/** The spec without an object, or with another spec of it. */
function edited(kind: ApiKindName, name: string, more?: object): readonly OwnObject<ApiKindName>[] {
  return spec.flatMap((one) => {
    if (one.kind !== kind || one.metadata.name !== name) return one;
    return more === undefined ? [] : { ...one, spec: { ...one.spec, ...more } };
  });
}

function needsPool(platform: Platform): Platform {
  if (!platform.edgePools.has('paris-edge'))
    throw new InputError({ reason: 'UnknownName', message: 'there is no EdgePool paris-edge', fix: 'write it' });
  return platform;
}

/** Starts an agent on the state that the one before left on disk, with its own API first. */
async function start(trusts: Readonly<Record<string, Trust>>): Promise<Agent> {
  const lines: string[] = [];
  const log = listeningLog(lines);
  const watch = new PlatformWatch({ view: needsPool, clock: systemClock, log, intervalMs: 20 });
  const fakes = Object.fromEntries(Object.keys(trusts).map((cluster) => [cluster, new FakeApi()]));
  const apis: PlatformApi[] = [];
  for (const [cluster, trust] of Object.entries(trusts)) {
    const lastGood = snapshotFile(join(folder, `${cluster}.json`), silentLog, { mayLack: true });
    const source = fakes[cluster] as FakeApi;
    const api = new PlatformApi({ cluster, trust, source, lastGood, clock: systemClock, log });
    await api.start();
    apis.push(api);
  }
  followApis(watch, apis, 'paris');
  void watch.start();
  const stop = async (): Promise<void> => {
    running = running.filter((one) => one !== agent);
    for (const api of apis) await api.stop();
    await watch.stop();
  };
  const agent: Agent = { watch, apis: fakes, isUp: () => watch.started, log: lines, stop };
  running.push(agent);
  return agent;
}

const paris = { paris: fullTrust };
const both = { paris: fullTrust, newyork: fullTrust };
const verdicts = ({ watch }: Agent) =>
  watch.verdicts().map(({ place, state, reason }) => `${place}: ${state} ${reason}`);
const reasonOfDrain = ({ watch }: Agent) => watch.current().drains.get('d')?.spec.reason;

describe('an agent without a folder', () => {
  it('waits for an API at its first start, says why by name, and starts when the API answers', async () => {
    const agent = await start(paris);
    agent.apis['paris']?.isAway();
    expect(agent.isUp()).toBe(false);
    expect(agent.log).toContainEqual(expect.stringMatching(/^error there is no platform spec yet.* PlatformMissing$/));
    expect(agent.watch.status()).toEqual({
      phase: 'invalid',
      reason: 'PlatformMissing',
      message: expect.stringMatching(
        /there is no EdgePool paris-edge[^]*; API of cluster paris: connection refused \(SourceUnreachable\)$/,
      ),
    });
    // What is there does not hold what the agent needs.
    agent.apis['paris']?.says(edited('EdgePool', 'paris-edge'));
    expect(agent.isUp()).toBe(false);
    agent.apis['paris']?.says(spec);
    expect(agent.isUp()).toBe(true);
    expect(agent.watch.status()).toEqual({ phase: 'current' });
    expect(agent.watch.current().sites.size).toBe(5);
  });

  it('keeps what was in force over a restart while the API is away, and follows it again', async () => {
    const first = await start(paris);
    first.apis['paris']?.says([...spec, drain('disk')]);
    await first.stop();
    const second = await start(paris);
    expect(second.isUp()).toBe(true);
    second.apis['paris']?.isAway();
    expect(reasonOfDrain(second)).toBe('disk');
    expect(second.watch.current().sites.size).toBe(5);
    second.apis['paris']?.says(spec);
    expect(reasonOfDrain(second)).toBeUndefined();
  });

  it('keeps an approved overlay over a restart while the API is away, also one whose new version it cannot read', async () => {
    const proposal = {
      policy: 'video',
      owner: 'optimiser',
      expires: '2099-01-01T00:00:00Z',
      rules: [{ countries: ['FR'], clusters: [{ name: 'cloud' }] }],
    };
    const overlay = (more: object = {}): OwnObject<ApiKindName> => ({
      kind: 'TrafficOverlay',
      metadata: { name: 'evening', generation: 1 },
      spec: { ...proposal, reason: 'paris is at its limit', ...more },
    });
    const said = { overlay: 'evening', verdict: 'approve', by: 'anna', at: '2026-11-27T15:00:00Z', reason: 'seen' };
    const verdict: OwnObject<ApiKindName> = {
      kind: 'TrafficVerdict',
      metadata: { name: 'evening', generation: 1 },
      spec: { ...said, proposal },
    };
    const decides = (agent: Agent) =>
      decidingOverlay(withOverlays(agent.watch.current(), systemClock.now()), 'video', 'FR')?.name;
    const first = await start(paris);
    first.apis['paris']?.says([...spec, overlay(), verdict]);
    expect(decides(first)).toBe('evening');
    first.apis['paris']?.says([...spec, overlay({ ofTomorrow: true }), verdict]);
    await first.stop();
    const second = await start(paris);
    second.apis['paris']?.isAway();
    expect(decides(second)).toBe('evening');
  });

  it('keeps what it needs when the API has it no more, also over a restart', async () => {
    const first = await start(paris);
    first.apis['paris']?.says(spec);
    first.apis['paris']?.says(edited('Site', 'paris'));
    expect(first.watch.status()).toMatchObject({ phase: 'invalid', reason: 'PlatformInvalid' });
    expect(first.watch.current().sites.has('paris')).toBe(true);
    await first.stop();
    const second = await start(paris);
    expect(second.isUp()).toBe(true);
    second.apis['paris']?.says(edited('Site', 'paris'));
    expect(second.watch.current().sites.has('paris')).toBe(true);
  });

  it('keeps the last good version of an object with a field that it does not know, also over a restart', async () => {
    const first = await start(paris);
    first.apis['paris']?.says([...spec, drain('disk')]);
    first.apis['paris']?.says([...edited('Site', 'cloud-asia', { newer: 1 }), drain('fan', { newer: 1 })]);
    const held = ['API of cluster paris: held ObjectUnreadable', 'API of cluster paris: held ObjectUnreadable'];
    const odd = (agent: Agent) => verdicts(agent).filter((text) => !text.endsWith('InForce'));
    expect(odd(first)).toEqual(held);
    expect(first.watch.current().sites.get('cloud-asia')?.spec.location.country).toBe('JP');
    await first.stop();
    const second = await start(paris);
    second.apis['paris']?.says([...edited('Site', 'cloud-asia', { newer: 1 }), drain('fan', { newer: 1 })]);
    expect(odd(second)).toEqual(held);
    expect(reasonOfDrain(second)).toBe('disk');
    expect(second.watch.current().sites.size).toBe(5);
  });
});

describe('an agent with several APIs', () => {
  it('takes equal copies for one object, and of copies that differ the version on which they agreed last', async () => {
    const agent = await start(both);
    for (const api of Object.values(agent.apis)) api.says([...spec, drain('disk')]);
    expect(new Set(verdicts(agent).map((text) => text.split(': ')[1]))).toEqual(new Set(['accepted InForce']));
    expect(agent.watch.current().sites.size).toBe(5);
    agent.apis['newyork']?.says([...spec, drain('fan')]);
    const [first, second] = agent.watch.verdicts().filter(({ reason }) => reason === 'CopiesDiffer');
    expect([first?.place, first?.state, second?.place, second?.state]).toEqual([
      'API of cluster paris',
      'accepted',
      'API of cluster newyork',
      'held',
    ]);
    expect(second?.message).toBe(
      'the copies in API of cluster paris and API of cluster newyork differ; in force is the one on which they agreed last',
    );
    expect(reasonOfDrain(agent)).toBe('disk');
    agent.apis['paris']?.says([...spec, drain('fan')]);
    expect(reasonOfDrain(agent)).toBe('fan');
  });

  it('keeps the version on which they agreed over a restart, whichever answers first', async () => {
    const first = await start(both);
    for (const api of Object.values(first.apis)) api.says([...spec, drain('disk')]);
    first.apis['newyork']?.says([...spec, drain('fan')]);
    await first.stop();
    for (const name of ['newyork', 'paris']) {
      const agent = await start(both);
      expect(reasonOfDrain(agent)).toBe('disk');
      const says = { newyork: drain('fan'), paris: drain('disk') };
      for (const cluster of [name, name === 'paris' ? 'newyork' : 'paris'] as const)
        agent.apis[cluster]?.says([...spec, says[cluster as 'paris' | 'newyork']]);
      expect(reasonOfDrain(agent)).toBe('disk');
      await agent.stop();
    }
  });

  it('changes nothing when it loses one of them, or all, and at a start without them', async () => {
    const first = await start(both);
    for (const api of Object.values(first.apis)) api.says([...spec, drain('disk')]);
    const said = ({ watch }: Agent) => [...watch.inForce()].map(([key, { value }]) => [key, value]);
    const before = said(first);
    first.apis['newyork']?.isAway();
    first.apis['paris']?.isAway();
    expect(said(first)).toEqual(before);
    await first.stop();
    const second = await start(both);
    expect(said(second)).toEqual(before);
    // One that is away still says what it said last, so the other alone deletes nothing.
    second.apis['paris']?.says(spec);
    expect(reasonOfDrain(second)).toBe('disk');
    second.apis['newyork']?.says(spec);
    expect(reasonOfDrain(second)).toBeUndefined();
  });

  it('starts on one of them alone', async () => {
    const agent = await start(both);
    agent.apis['newyork']?.isAway();
    agent.apis['paris']?.says(spec);
    expect(agent.isUp()).toBe(true);
  });
});
