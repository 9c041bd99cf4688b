import { expect, it } from 'vitest';
import { fleetPlatform, shippedUnits } from '../../../../../test/support/fleet.ts';
import { compileFleet } from '../../compile/compile.ts';
import { planFleet } from '../../plan.ts';
import { stepName } from '../steps.ts';
import { type ApplyInput, applyRun } from './apply.ts';

const compiled = compileFleet(fleetPlatform(), shippedUnits());
const everyone = new Set(compiled.documents.keys());
const none: ReadonlySet<string> = new Set();
const wavesOf = (input: Partial<ApplyInput>, felt: ReadonlySet<string> = everyone) =>
  applyRun(planFleet(compiled.documents, compiled, felt), compiled, {
    fresh: none,
    felt,
    apis: new Set(['site0']),
    ...input,
  });
const texts = (run: ReturnType<typeof applyRun>) =>
  run.waves.map(({ kind, servers, steps }) => `${kind} ${servers.length}: ${steps.map(stepName).join(', ')}`);

it('makes a new cluster: all members at once, then its objects, and nothing is drained', () => {
  expect(texts(wavesOf({ fresh: everyone }))).toEqual([
    'etcd 3: apply pki, sign, apply, restart, gate EtcdHealthy, gate ApiReady, gate VipHeld',
    'cluster 0: objects',
    'canary 1: apply pki, sign, apply, restart, gate NodesReady, gate PodsRunning',
    'worker 2: apply pki, sign, apply, restart, gate NodesReady, gate PodsRunning',
    'blade 1: apply pki, sign, apply, restart',
    'blade 1: apply pki, sign, apply, restart, gate EdgeFit, gate ErrorRate',
  ]);
});

it('drains servers that run before they are touched, returns them, and judges them', () => {
  const waves = texts(wavesOf({}));
  const drained =
    'apply pki, sign, gate EtcdSpares, drain, apply, restart, gate EtcdHealthy, gate ApiReady, return, gate VipHeld';
  expect(waves.slice(0, 4)).toEqual([
    `etcd 1: ${drained}`,
    `etcd 1: ${drained}`,
    `etcd 1: ${drained}`,
    'cluster 0: objects',
  ]);
  expect(waves.at(-1)).toMatch(/^blade 1: .*drain, apply, .*return, gate EdgeFit, gate ErrorRate$/);
});

it('drains nobody to whom nothing new comes', () => {
  const { waves } = wavesOf({ felt: none });
  expect(waves.flatMap(({ steps }) => steps).some((step) => step.do === 'drain')).toBe(false);
});

it('says where no API can be reached, drains only control planes there, and asks only servers', () => {
  const run = wavesOf({ apis: none });
  expect(run.warnings.at(-1)).toMatch(/^the source of Cluster site0 names no kubeconfig/);
  const names = new Set(run.waves.flatMap(({ steps }) => steps.map(stepName)));
  for (const name of ['objects', 'gate NodesReady', 'gate PodsRunning']) expect(names.has(name)).toBe(false);
  const drained = run.waves.filter(({ steps }) => steps.some((step) => step.do === 'drain'));
  expect(drained.map(({ kind }) => kind)).toEqual(['etcd', 'etcd', 'etcd']);
  expect(names.has('gate EtcdHealthy')).toBe(true);
});
