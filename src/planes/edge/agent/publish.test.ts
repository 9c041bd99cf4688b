import { afterEach, describe, expect, it } from 'vitest';
import { clusterWith, Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { needsCompile } from './relevant.ts';
import { ServedVips } from './served.ts';

afterEach(stopAgents);

describe('ServedVips', () => {
  const vips = ['192.0.2.10', '192.0.2.11'];
  const all = new Set(vips);
  const one = new Set(['192.0.2.10']);

  it('says nothing while no VIP is known to be announced, however long', () => {
    const served = new ServedVips();
    expect(served.look(vips, new Set(), 0)).toBeUndefined();
    expect(served.look(vips, all, 1000)).toEqual(vips);
    expect(served.look(vips, new Set(), 3_600_000)).toBeUndefined();
  });

  it('lets a VIP go that nobody announces for a minute while another is announced, and takes it back at once', () => {
    const served = new ServedVips();
    expect(served.look(vips, all, 0)).toEqual(vips);
    expect(served.look(vips, one, 59_000)).toEqual(vips);
    expect(served.look(vips, one, 60_000)).toEqual(['192.0.2.10']);
    expect(served.look(vips, all, 61_000)).toEqual(vips);
  });

  it('waits a minute for a VIP it has not seen, so that a new leader does not drop what it has not heard of', () => {
    const served = new ServedVips();
    expect(served.look(vips, one, 5000)).toEqual(vips);
    expect(served.look(vips, one, 65_000)).toEqual(['192.0.2.10']);
  });
});

describe('needsCompile', () => {
  const base = clusterWith();
  const changed = new Map([['Ingress' as const, new Set(['video/web'])]]);
  const withIngress = (change: object) => {
    const ingress = base.objects.Ingress.get('video/web');
    if (ingress === undefined) throw new Error('no Ingress');
    return { ...base, objects: { ...base.objects, Ingress: new Map([['video/web', { ...ingress, ...change }]]) } };
  };
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.10' }] } };

  it.each([
    ['a status alone', { status }, false],
    [
      'a status and a new version',
      { status, metadata: { name: 'web', namespace: 'video', resourceVersion: '9' } },
      false,
    ],
    ['a class', { status, spec: { ingressClassName: 'other' } }, true],
    [
      'a label that came with a status',
      { status, metadata: { name: 'web', namespace: 'video', labels: { a: 'b' } } },
      true,
    ],
    ['nothing that is seen', {}, true],
  ])('%s: %j', (_, change, expected) => {
    expect(needsCompile(base, { state: withIngress(change), changed })).toBe(expected);
  });

  it('an Ingress that comes or goes, and other kinds', () => {
    const empty = { ...base, objects: { ...base.objects, Ingress: new Map() } };
    expect(needsCompile(empty, { state: base, changed })).toBe(true);
    expect(needsCompile(base, { state: empty, changed })).toBe(true);
    expect(needsCompile(base, { state: base, changed: new Map([['Secret', new Set(['video/a'])]]) })).toBe(true);
    expect(needsCompile(base, { state: base, changed: new Map([['EndpointSlice', new Set(['video/a'])]]) })).toBe(
      false,
    );
  });
});

describe('what the publisher is told', () => {
  it('nothing of a cluster that is not read live', async () => {
    const rig = new Rig('paris-blade-1');
    rig.source.say({ phase: 'syncing' });
    await rig.serve();
    expect(rig.views.at(-1)).toMatchObject({ state: undefined });
    rig.source.say({ phase: 'live', sinceMs: 0 });
    await rig.clock.advance(500);
    expect(rig.views.at(-1)).toMatchObject({ fault: undefined, fitBlades: 1, blades: 2, platformInvalid: false });
    expect(rig.views.at(-1)?.state?.objects.Ingress.size).toBe(1);
    expect([...(rig.views.at(-1)?.announced ?? [])]).toEqual(['192.0.2.10']);
    rig.source.say({ phase: 'stale', sinceMs: 0, reason: 'SourceUnreachable', message: 'gone' });
    await rig.clock.advance(500);
    expect(rig.views.at(-1)?.state).toBeUndefined();
    expect(rig.agent.status().publishing).toMatchObject({ leading: false });
  });

  it('nothing of a snapshot, even when the source says that it is live', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onDisk = clusterWith();
    rig.agent.start();
    rig.source.say({ phase: 'live', sinceMs: 0 });
    await rig.clock.advance(4000);
    expect(rig.agent.status().source.servingSnapshot).toBe(true);
    expect(rig.views.at(-1)?.state).toBeUndefined();
  });
});
