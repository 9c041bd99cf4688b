import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bulk } from '../../support/clusters/bulk.ts';
import { withControlPlane } from '../../support/clusters/control-plane.ts';
import { prepare } from '../../support/source/prepare.ts';
import { Trial } from '../../support/source/trial.ts';

describe('a history with a gap', () => {
  const plane = withControlPlane();
  let trial: Trial;
  beforeAll(async () => {
    await prepare(plane());
  });
  afterEach(() => trial.end());

  it('is forgotten by etcd while the agent was away', async () => {
    trial = await Trial.begin(plane());
    await trial.endure(
      async () => {
        await trial.cluster.gate.cut();
        await trial.writer.writes(60);
        await plane().compact();
        await trial.writer.writes(10);
        await trial.cluster.gate.restore();
      },
      { stale: ['SourceUnreachable'] },
    );
    expect(await trial.cluster.metric('tideline_kube_relists_total', { cause: 'expired' })).toBeGreaterThanOrEqual(3);
  });

  describe('when a namespace is deleted wholesale', () => {
    const perKind = 100;
    // The controller-manager deletes the objects of a namespace.
    beforeAll(() => plane().start('kube-controller-manager'));

    const populate = async (label: string): Promise<void> => {
      await plane().apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'doomed' } });
      const names = Array.from({ length: perKind }, (_, index) => `d${index}`);
      await bulk(plane(), objects('doomed', names, label));
      // The writer's own objects may all have been made anew meanwhile; these show that it is the same cluster.
      await bulk(plane(), objects('default', [`steady-${label}`], label));
      await trial.judge.until('all of it', () => countDoomed() === perKind * 3, 60_000);
    };
    const countDoomed = (): number =>
      trial.kinds.reduce(
        (sum, kind) => sum + trial.judge.keys(kind).filter((key) => key.startsWith('doomed/')).length,
        0,
      );
    const destroy = async (): Promise<void> => {
      trial.judge.mayVanish = (key) => key.startsWith('doomed/');
      await plane().kubectl(['delete', 'namespace', 'doomed', '--wait', '--timeout=120s']);
    };

    it('under its eyes: it follows, and doubts nothing', async () => {
      trial = await Trial.begin(plane());
      await populate(trial.cluster.label);
      await trial.endure(destroy, { stale: 'none' });
      expect(countDoomed()).toBe(0);
    });

    it('while it was away, with the history kept: it follows what it is told', async () => {
      trial = await Trial.begin(plane());
      await populate(trial.cluster.label);
      await trial.endure(
        async () => {
          await trial.cluster.gate.cut();
          await destroy();
          await trial.cluster.gate.restore();
        },
        { stale: ['SourceUnreachable'] },
      );
      expect(countDoomed()).toBe(0);
    });

    it('while it was away, with the history gone: it holds until the same cluster has said it twice', async () => {
      trial = await Trial.begin(plane());
      await populate(trial.cluster.label);
      await trial.endure(
        async () => {
          await trial.cluster.gate.cut();
          await destroy();
          await plane().compact();
          trial.judge.mayVanish = () => false;
          await trial.cluster.gate.restore();
          await trial.judge.stale('SourceImplausible', 60_000);
          expect(countDoomed()).toBe(perKind * 3);
          trial.judge.mayVanish = (key) => key.startsWith('doomed/');
        },
        { stale: ['SourceUnreachable', 'SourceImplausible'] },
      );
      await trial.judge.until('all gone', () => countDoomed() === 0);
    });
  });
});

/** A Service, an EndpointSlice and an Ingress for each name. */
function* objects(
  namespace: string,
  names: readonly string[],
  label: string,
): Generator<{ method: 'POST'; path: string; body: object }> {
  for (const name of names) {
    const metadata = { name, labels: { 'tideline-test': label } };
    yield {
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/services`,
      body: { metadata, spec: { clusterIP: 'None', ports: [{ port: 80 }] } },
    };
    yield {
      method: 'POST',
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      body: { metadata, addressType: 'IPv4', endpoints: [{ addresses: ['10.1.1.1'] }], ports: [{ port: 80 }] },
    };
    yield {
      method: 'POST',
      path: `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
      body: { metadata, spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } },
    };
  }
}
