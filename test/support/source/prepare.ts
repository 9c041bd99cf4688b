import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';
import { looseDefinition } from './cluster.ts';

/** Makes a control plane one in which only the test writes, with namespace `video` and a loose BlockAffinity. */
export async function prepare(plane: ControlPlane): Promise<void> {
  await plane.end('kube-controller-manager');
  await plane.end('kube-scheduler');
  const definition = looseDefinition('crd.projectcalico.org', 'v1', 'BlockAffinity', 'blockaffinities');
  await plane.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'video' } }, definition);
  await plane.kubectl(['wait', '--for=condition=Established', '--timeout=60s', `crd/${definition.metadata.name}`]);
}
