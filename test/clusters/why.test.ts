import { expect, it } from 'vitest';
import { connect } from '../../src/kube/api/connect.ts';
import { podsOfApi } from '../../src/observe/pods.ts';
import { withControlPlane } from '../support/clusters/control-plane.ts';

/** What `tideline why pod` asks of a real kube-apiserver. */
const plane = withControlPlane();

async function find(kubeconfig: string, address: string) {
  const client = await connect({ kubeconfig });
  try {
    return await podsOfApi(client, address, 30_000);
  } finally {
    await client.close();
  }
}

it('finds the Pod that has an address, of either family, and no other', async () => {
  const spec = { containers: [{ name: 'web', image: 'registry.invalid/web:1' }], nodeName: 'paris-worker-1' };
  const meta = { apiVersion: 'v1', kind: 'Pod' };
  await plane().apply(
    { ...meta, metadata: { name: 'web-1', namespace: 'default' }, spec },
    { ...meta, metadata: { name: 'web-2', namespace: 'default' }, spec },
  );
  const setAddress = async (name: string, ...ips: readonly string[]): Promise<void> => {
    const status = { phase: 'Running', podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) };
    const patch = ['patch', 'pod', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
    await plane().kubectl(patch);
  };
  await setAddress('web-1', '10.10.1.1', 'fd00::1');
  await setAddress('web-2', '10.10.1.2');
  const one = [{ name: 'default/web-1', node: 'paris-worker-1', phase: 'Running' }];
  expect(await find(plane().kubeconfig, '10.10.1.1')).toEqual(one);
  expect(await find(plane().kubeconfig, '10.10.1.3')).toEqual([]);
  expect(await find(plane().kubeconfig, 'fd00::1')).toEqual(one);
});

it('says which right is missing', async () => {
  const stranger = await plane().kubeconfigFor({ user: 'stranger', groups: [] });
  await expect(find(stranger, '10.10.1.1')).rejects.toThrow(/pods is forbidden.*"stranger"/);
});
