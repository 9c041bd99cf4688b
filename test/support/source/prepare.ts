import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { looseDefinition } from './cluster.ts';

/**
 * Prepares a control plane: only the test writes to it, there is a namespace `video`, and a BlockAffinity may have any
 * content.
 */
export async function prepare(plane: ControlPlane): Promise<void> {
  await plane.end('kube-controller-manager');
  await plane.end('kube-scheduler');
  const definition = looseDefinition('crd.projectcalico.org', 'v1', 'BlockAffinity', 'blockaffinities');
  await plane.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'video' } }, definition);
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=60s', `crd/${definition.metadata.name}`]);
}
