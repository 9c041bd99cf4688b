import { expect, it } from 'vitest';
import type { ControlPlane } from '../../kubernetes/control-plane.ts';
import { components, PlaneControl } from './control.ts';

/** What is asked of a control plane, in order. */
function recorded(): { readonly calls: string[]; readonly control: PlaneControl } {
  const calls: string[] = [];
  const plane: Pick<ControlPlane, 'signal' | 'end' | 'start'> = {
    signal: (component, signal) => void calls.push(`${signal} ${component}`),
    end: async (component) => void calls.push(`end ${component}`),
    start: async (component) => void calls.push(`start ${component}`),
  };
  return { calls, control: new PlaneControl('paris-master-1', () => plane as ControlPlane) };
}

it('starts what it killed in the order of a start, and only that', async () => {
  const { calls, control } = recorded();
  await control.kill(['kube-scheduler']);
  await control.kill(['kube-apiserver', 'etcd']);
  await control.kill(['etcd']);
  expect(control.components.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'running', 'stopped']);
  expect(calls.filter((call) => call === 'SIGKILL etcd')).toHaveLength(1);
  calls.length = 0;
  await control.mend();
  expect(calls).toEqual(['start etcd', 'start kube-apiserver', 'start kube-scheduler']);
  expect(control.components.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'running']);
});

it('lets go on what it froze, and starts what was killed frozen', async () => {
  const { calls, control } = recorded();
  await control.freeze(['kube-apiserver', 'etcd']);
  await control.freeze(['kube-apiserver']);
  await control.kill(['etcd']);
  await control.mend();
  expect(calls).toEqual([
    'SIGSTOP etcd',
    'SIGSTOP kube-apiserver',
    'SIGKILL etcd',
    'end etcd',
    'start etcd',
    'SIGCONT kube-apiserver',
  ]);
});

it('has stopped components before the control plane is there', async () => {
  const control = new PlaneControl('paris-master-1', () => undefined);
  await control.kill(components);
  expect(control.components.every(({ state }) => state === 'stopped')).toBe(true);
});
