import { afterEach, describe, expect, it } from 'vitest';
import { clusterWith, Rig, stopAgents } from '../../../../test/support/edge-rig.ts';

afterEach(stopAgents);

describe('what the publisher gets', () => {
  it('nothing of a cluster that is not read live', async () => {
    const rig = new Rig('paris-blade-1');
    rig.source.setStatus({ phase: 'syncing' });
    await rig.serve();
    expect(rig.views.at(-1)).toMatchObject({ state: undefined });
    rig.source.setStatus({ phase: 'live', sinceMs: 0 });
    await rig.clock.advance(500);
    expect(rig.views.at(-1)).toMatchObject({ fault: undefined, fitBlades: 1, blades: 2, platformInvalid: false });
    expect(rig.views.at(-1)?.state?.objects.Ingress.size).toBe(1);
    expect([...(rig.views.at(-1)?.announced ?? [])]).toEqual(['192.0.2.10']);
    rig.source.setStatus({ phase: 'stale', sinceMs: 0, reason: 'SourceUnreachable', message: 'gone' });
    await rig.clock.advance(500);
    expect(rig.views.at(-1)?.state).toBeUndefined();
    expect(rig.agent.status().publishing).toMatchObject({ leading: false });
  });

  it('nothing of a snapshot, even when the source says that it is live', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onDisk = clusterWith();
    rig.agent.start();
    rig.source.setStatus({ phase: 'live', sinceMs: 0 });
    await rig.clock.advance(4000);
    expect(rig.agent.status().source.servingSnapshot).toBe(true);
    expect(rig.views.at(-1)?.state).toBeUndefined();
  });
});
