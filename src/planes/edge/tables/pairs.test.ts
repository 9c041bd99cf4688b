import { afterEach, describe, expect, test } from 'vitest';
import { secretData } from '../../../../test/support/certificates.ts';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { selfSigned } from '../nginx/certificate.ts';

afterEach(stopAgents);

const startMs = Date.parse('2026-11-26T00:00:00Z');
const data = (name: string, atMs = startMs) => {
  const { certificate, key } = selfSigned(name, atMs);
  return secretData(certificate, key);
};
const good = data('www.video.example');
const renewed = data('www.video.example');
const broken = { ...good, 'tls.crt': '' };

/** An Ingress of this uid that names a Secret with these contents, or with none. */
function cluster(
  contents: object | undefined,
  more: { readonly uid?: string; readonly secretName?: string } = {},
): ClusterState {
  const { uid = 'first', secretName = 'tls' } = more;
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const secret = {
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'tls', namespace: 'video' },
    data: contents,
  };
  return stateFromObjects([
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'video', uid },
      spec: {
        ingressClassName: 'tideline',
        tls: [{ hosts: ['www.video.example'], secretName }],
        rules: [{ host: 'www.video.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'video' },
      spec: { ports: [{ port: 80 }] },
    },
    ...(contents === undefined ? [] : [{ apiVersion: 'v1', ...secret }]),
  ]);
}

/** What an agent serves and says after a change of the Ingress or the Secret. */
async function after(rig: Rig, state: ClusterState) {
  rig.source.publish(state, { Secret: ['video/tls'], Ingress: ['video/web'] });
  await rig.clock.advance(500);
  return seen(rig);
}

function seen(rig: Rig) {
  const [shown] = rig.agent.status().refused;
  return {
    certificate: rig.dataPlane.table?.certificates[0]?.chain,
    reasons: shown?.problems.map(({ reason }) => reason).filter((reason) => reason !== 'ServiceMissing') ?? [],
  };
}

async function started(state: ClusterState, before?: Rig): Promise<Rig> {
  const rig = new Rig('paris-blade-1', new FakeClock(startMs + 1000));
  if (before !== undefined) {
    rig.onDisk = before.written.at(-1);
    rig.keptOnDisk = before.keptOnDisk;
  }
  rig.agent.start();
  rig.source.publish(state);
  await rig.clock.advance(2000);
  return rig;
}

describe('the last good certificate', () => {
  test('stays while its Secret is broken or gone, with a warning, and ends when the Secret is good again', async () => {
    const rig = await started(cluster(good));
    const { certificate } = seen(rig);
    expect(certificate).toContain('BEGIN CERTIFICATE');
    expect(await after(rig, cluster(broken))).toEqual({ certificate, reasons: ['CertificateKept'] });
    expect(await after(rig, cluster(undefined))).toEqual({ certificate, reasons: ['CertificateKept'] });
    const now = await after(rig, cluster(renewed));
    expect(now.reasons).toEqual([]);
    expect(now.certificate).not.toBe(certificate);
    expect(rig.keptOnDisk.size).toBe(0);
  });

  test('ends when its Ingress names another Secret, and when another Ingress of that name does', async () => {
    const rig = await started(cluster(good));
    await after(rig, cluster(undefined));
    expect(await after(rig, cluster(undefined, { uid: 'second' }))).toEqual({
      certificate: undefined,
      reasons: ['SecretMissing'],
    });
    await after(rig, cluster(good));
    expect((await after(rig, cluster(undefined))).reasons).toEqual(['CertificateKept']);
    await after(rig, cluster(undefined, { secretName: 'other' }));
    expect(await after(rig, cluster(undefined))).toEqual({ certificate: undefined, reasons: ['SecretMissing'] });
  });

  test.each([
    ['broke before the agent ended', true],
    ['broke while no agent ran', false],
  ])('of a Secret that %s outlives a restart, and the next one', async (_, before) => {
    const first = await started(cluster(good));
    const { certificate } = seen(first);
    if (before) await after(first, cluster(broken));
    await first.clock.advance(3000);
    await first.agent.stop();
    const second = await started(cluster(undefined), first);
    expect(seen(second)).toEqual({ certificate, reasons: ['CertificateKept'] });
    await second.clock.advance(3000);
    await second.agent.stop();
    const third = await started(cluster(broken), second);
    expect(seen(third)).toEqual({ certificate, reasons: ['CertificateKept'] });
  });
});

test('a pair that nginx refuses is taken out of the table, and its Ingress says so', async () => {
  const rig = await started(cluster(good));
  const id = rig.dataPlane.table?.certificates[0]?.id ?? '';
  rig.dataPlane.refuse(id, 'ca md too weak');
  await rig.clock.advance(500);
  expect(seen(rig)).toEqual({ certificate: undefined, reasons: ['CertificateRefused'] });
  expect((await after(rig, cluster(renewed))).reasons).toEqual([]);
});

test('a certificate that ends becomes a finding when it does, though nothing changes', async () => {
  const rig = await started(cluster(data('www.video.example', startMs - 3_650 * 86_400_000 + 10_000)));
  expect(seen(rig).reasons).toEqual([]);
  await rig.clock.advance(10_000);
  expect(seen(rig).reasons).toEqual(['CertificateExpired']);
  expect((await after(rig, cluster(data('other.example')))).reasons).toEqual(['CertificateHostMismatch']);
  expect((await after(rig, cluster(data('www.video.example', startMs + 30 * 86_400_000)))).reasons).toEqual([
    'CertificateNotYetValid',
  ]);
});
