import { Site } from '../../../src/model/spec/kinds.ts';
import { compileNetwork, type NetworkInput } from '../../../src/planes/network/compile/compile.ts';
import { blackholesOf, type NetworkPlan } from '../../../src/planes/network/plan.ts';
import { stateFromObjects } from '../cluster-state.ts';
import type { Manifest } from '../source/conformance.ts';
import { calico } from './calico.ts';

export const siteOf = (name: string, pods: readonly string[], servers: readonly string[]): Site =>
  Site.parse({
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Site',
    metadata: { name },
    spec: {
      type: 'datacentre',
      location: { country: 'FR', latitude: 48.86, longitude: 2.35 },
      serverAsn: 65011,
      prefixes: { pods, servers },
    },
  });
export const paris = siteOf('paris', ['10.10.0.0/16', '2001:db8:10::/48'], ['10.1.0.0/24', '2001:db8::/64']);
export const lyon = siteOf('lyon', ['10.30.0.0/16'], ['10.3.0.0/24']);

export const me = 'paris-worker-1';
export const base = [calico.node(me, '10.1.0.11'), calico.pool('10.10.0.0/16')];
/** The plan of paris-worker-1 in a cluster of these objects. */
export const compile = (objects: readonly Manifest[], input: Partial<NetworkInput> = {}): NetworkPlan =>
  compileNetwork({
    state: stateFromObjects(objects),
    sites: [paris, lyon],
    node: me,
    podsFrom: 'calico',
    drained: 'no',
    machine: { addresses: new Set(['10.1.0.11', '2001:db8::11']), rendered: [] },
    nodeSeen: true,
    blocksSeen: true,
    kept: new Set(),
    keptServers: new Set(),
    installed: [],
    banned: new Set(),
    brakesOver: new Set(),
    ...input,
  });
/** The same, in short. */
export const summary = (objects: readonly Manifest[], input: Partial<NetworkInput> = {}) => {
  const plan = compile(objects, input);
  if (plan.action === 'hold') return { hold: plan.reason };
  return {
    pods: plan.routes.filter((route) => route.class === 'pods').map(({ prefix }) => prefix.text),
    blackholes: blackholesOf(plan).map(({ text }) => text),
    refusals: plan.refusals.map(({ subject, reason }) => `${subject} ${reason}`),
    notices: plan.notices.map(({ subject, reason }) => `${subject} ${reason}`),
  };
};
