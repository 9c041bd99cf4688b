import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { Component, ControlPlane } from '../../control-plane/control-plane.ts';
import { components, PlaneControl } from './control.ts';

/** A control plane that records what is asked of it, in order. */
function recorded() {
  const calls: string[] = [];
  const running = new Set<Component>(components);
  const plane: Pick<ControlPlane, 'pid' | 'signal' | 'end' | 'start'> = {
    pid: (component) => (running.has(component) ? 1 : undefined),
    signal(component, signal) {
      calls.push(`${signal} ${component}`);
      if (signal === 'SIGKILL') running.delete(component);
    },
    end: async (component) => void calls.push(`end ${component}`),
    async start(component) {
      calls.push(`start ${component}`);
      running.add(component);
    },
  };
  const clock = new FakeClock();
  return { calls, running, clock, control: new PlaneControl('paris-master-1', () => plane as ControlPlane, clock) };
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
  const control = new PlaneControl('paris-master-1', () => undefined, new FakeClock());
  await control.kill(components);
  expect(control.components.map(({ name, state }) => `${name} ${state}`)).toEqual(
    components.map((name) => `${name} stopped`),
  );
});

it('starts again what ended by itself, never what was killed on purpose', async () => {
  const { calls, running, clock, control } = recorded();
  control.supervise();
  await control.kill(['etcd']);
  running.delete('kube-scheduler');
  await clock.advance(2000);
  expect(calls.filter((call) => call.startsWith('start'))).toEqual(['start kube-scheduler']);
  control.stop();
  running.delete('kube-scheduler');
  await clock.advance(2000);
  expect(calls.filter((call) => call.startsWith('start'))).toHaveLength(1);
});
