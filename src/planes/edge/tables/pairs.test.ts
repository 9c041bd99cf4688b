import { afterEach, describe, expect, test } from 'vitest';
import { secretData } from '../../../../test/support/certificates.ts';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { FakeClock } from '../../../../test/support/fake-clock.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { selfSigned } from '../nginx/certificate.ts';
import { createCertificateReader } from './certificate.ts';

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

function idOf(contents: object): string {
  const secret = cluster(contents).objects.Secret.get('video/tls')!;
  const reading = createCertificateReader()(secret);
  return reading.ok ? reading.certificate.id : '';
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

async function started(state: ClusterState, before?: Rig, unpresentable: readonly string[] = []): Promise<Rig> {
  const rig = new Rig('paris-blade-1', new FakeClock(startMs + 1000));
  rig.dataPlane.unpresentable = new Set(unpresentable);
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

describe('a pair that nginx refuses after a good one', () => {
  const bad = data('www.video.example');
  const worse = data('www.video.example');
  const kept = (certificate: string | undefined) => ({ certificate, reasons: ['CertificateKept'] });

  /** nginx says that it cannot present the pair in its table. */
  async function refuse(rig: Rig) {
    rig.dataPlane.refuse(rig.dataPlane.table?.certificates[0]?.id ?? '', 'ca key too small');
    await rig.clock.advance(500);
    return seen(rig);
  }

  test('gives way to that one, also when another renewal is refused, and after nginx forgot its refusals', async () => {
    const rig = await started(cluster(good));
    const { certificate } = seen(rig);
    expect((await after(rig, cluster(bad))).certificate).not.toBe(certificate);
    expect(await refuse(rig)).toEqual(kept(certificate));
    rig.dataPlane.refusedPairs = {};
    rig.dataPlane.setInstance('second');
    await rig.clock.advance(500);
    expect(seen(rig)).toEqual(kept(certificate));
    await after(rig, cluster(worse));
    expect(await refuse(rig)).toEqual(kept(certificate));
    expect(await after(rig, cluster(undefined))).toEqual(kept(certificate));
    expect((await after(rig, cluster(renewed))).reasons).toEqual([]);
    expect(rig.keptOnDisk.size).toBe(0);
  });

  test('gives way to that one, though nginx took no table with the renewals between', async () => {
    const rig = await started(cluster(good));
    const { certificate } = seen(rig);
    rig.dataPlane.failing = true;
    await after(rig, cluster(bad));
    await after(rig, cluster(worse));
    rig.dataPlane.failing = false;
    await rig.clock.advance(6000);
    expect(seen(rig).certificate).not.toBe(certificate);
    expect(await refuse(rig)).toEqual(kept(certificate));
  });

  test.each([
    ['before the agent ended', true],
    ['while no agent ran', false],
  ])('gives way to that one in an agent that was started anew, when it was renewed %s', async (_, before) => {
    const first = await started(cluster(good));
    const { certificate } = seen(first);
    first.dataPlane.failing = true;
    if (before) await after(first, cluster(bad));
    await first.clock.advance(3000);
    await first.agent.stop();
    const second = await started(cluster(bad), first, [idOf(bad)]);
    expect(seen(second)).toEqual(kept(certificate));
    expect(second.keptOnDisk.size).toBe(1);
  });

  test('gives way to that one as soon as nginx refuses it, and to none when there was none', async () => {
    const rig = await started(cluster(good), undefined, [idOf(bad), idOf(worse)]);
    const { certificate } = seen(rig);
    expect(await after(rig, cluster(bad))).toEqual(kept(certificate));
    expect(await after(rig, cluster(worse))).toEqual(kept(certificate));
    await after(rig, cluster(undefined, { uid: 'second' }));
    const none = { certificate: undefined, reasons: ['CertificateRefused'] };
    expect(await after(rig, cluster(bad, { uid: 'second' }))).toEqual(none);
  });

  test('is not tried again while a claim has it, and is forgotten with the claim', async () => {
    const rig = await started(cluster(good));
    await after(rig, cluster(bad));
    await refuse(rig);
    rig.dataPlane.refusedPairs = {};
    rig.dataPlane.refuse('another', 'ca key too small');
    await rig.clock.advance(500);
    expect(seen(rig).reasons).toEqual(['CertificateKept']);
    await after(rig, cluster(good, { secretName: 'other' }));
    expect((await after(rig, cluster(bad))).reasons).toEqual([]);
  });
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
