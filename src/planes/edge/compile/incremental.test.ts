import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import type { Kind } from '../../../kube/kinds.ts';
import type { ClusterState } from '../../../kube/source.ts';
import { advance, type ObjectsByKind } from '../../../kube/state.ts';
import type { EdgePool } from '../../../model/spec/kinds.ts';
import { withoutUndefined } from '../../../model/values.ts';
import { type Compiled, compile } from './compile.ts';
import { SliceIndex } from './slices.ts';
import type { CertificateReader } from './tls.ts';

const nowMs = Date.parse('2026-11-26T00:00:00Z');

// A compile that gets the result of the compile before must give what a compile without it gives.

const readCertificate: CertificateReader = () => ({
  ok: false,
  fault: { reason: 'CertificateUnreadable', message: 'none here' },
});
const platform = platformForTests();
const pools = [
  poolForTests(),
  poolForTests({ vips: [{ address: '10.10.1.1' }] }),
  poolForTests({ ingressClass: 'other' }),
];

interface World {
  readonly pool: EdgePool;
  readonly ingresses: readonly { readonly class: string; readonly service: string; readonly port: number | string }[];
  readonly ports: readonly (readonly number[])[];
  readonly slices: readonly { readonly service: string; readonly addresses: readonly string[] }[];
}

const service = fc.constantFrom('s0', 's0', 's1', 's1', 's2', 'none');
const parts = {
  pool: fc.constantFrom(...pools),
  ingresses: fc.array(
    fc.record({
      class: fc.constantFrom('tideline', 'tideline', 'tideline', 'other'),
      service,
      port: fc.constantFrom(80, 81, 'p80'),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  ports: fc.array(fc.subarray([80, 81], { minLength: 1 }), { minLength: 3, maxLength: 3 }),
  slices: fc.array(
    fc.record({
      service,
      addresses: fc.array(fc.constantFrom('10.10.1.1', '10.10.1.2', '10.10.1.3', 'bad'), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    { minLength: 2, maxLength: 5 },
  ),
};
const aWorld: fc.Arbitrary<World> = fc.record(parts);
const anEdit: fc.Arbitrary<Partial<World>> = fc.record(parts, { requiredKeys: [] });

function stateOf(world: World): ClusterState {
  return stateFromObjects([
    ...world.ingresses.map(({ class: ingressClassName, service: name, port }, index) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: `i${index}`, namespace: 'shop' },
      spec: {
        ingressClassName,
        defaultBackend: { service: { name, port: typeof port === 'number' ? { number: port } : { name: port } } },
        rules: [{ host: `h${index % 2}.example` }],
      },
    })),
    ...world.ports.map((ports, index) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${index}`, namespace: 'shop' },
      spec: { ports: ports.map((port) => ({ name: `p${port}`, port })) },
    })),
    ...world.slices.map(({ service: name, addresses }, index) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `e${index}`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [80, 81].map((port) => ({ name: `p${port}`, port })),
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    })),
  ]);
}

const objectsOf = ({ objects }: ClusterState): ObjectsByKind =>
  new Map(Object.entries(objects) as [Kind, ClusterState['objects'][Kind]][]);

const visible = ({ table, conditions }: Compiled): unknown => ({ table, conditions });

test('an incremental compile gives the same as one from nothing, whatever changed', () => {
  fc.assert(
    fc.property(aWorld, fc.array(anEdit, { minLength: 1, maxLength: 4 }), (first, edits) => {
      const worlds = edits.reduce<World[]>((all, edit) => [...all, { ...(all.at(-1) ?? first), ...edit }], [first]);
      let state = stateFromObjects([]);
      const slices = SliceIndex.of(state);
      let before: Compiled | undefined;
      for (const world of worlds) {
        const change = advance(state, objectsOf(stateOf(world)), false);
        state = change?.state ?? state;
        slices.update(state, change?.changed.get('EndpointSlice') ?? []);
        const { pool } = world;
        const again: Compiled = compile({
          state,
          platform,
          pool,
          readCertificate,
          nowMs,
          slices,
          ...withoutUndefined({ before }),
        });
        expect(visible(again)).toEqual(visible(compile({ state, platform, pool, readCertificate, nowMs })));
        before = again;
      }
    }),
    { numRuns: 1000 },
  );
});

test('an incremental compile takes over what is made of the same objects, and only that', () => {
  const world: World = {
    pool: pools[0] as EdgePool,
    ingresses: ['s0', 's1', 's2'].map((name) => ({ class: 'tideline', service: name, port: 80 })),
    ports: [[80], [80], [80]],
    slices: ['s0', 's1', 's2'].map((name) => ({ service: name, addresses: ['10.10.1.2'] })),
  };
  const { pool } = world;
  const first = stateOf(world);
  const slices = SliceIndex.of(first);
  const before = compile({ state: first, platform, pool, readCertificate, nowMs, slices });
  const otherSlice = [...world.slices.slice(0, 2), { service: 's2', addresses: ['10.10.1.3'] }];
  const otherPorts = [[80], [80, 81], [80]];
  const change = advance(first, objectsOf(stateOf({ ...world, slices: otherSlice, ports: otherPorts })), false);
  const state = change?.state ?? first;
  slices.update(state, change?.changed.get('EndpointSlice') ?? []);
  const after = compile({ state, platform, pool, readCertificate, nowMs, slices, before });
  const same = [...after.backends].filter(([key, backend]) => before.backends.get(key) === backend);
  // The backend of s1 has another Service, that of s2 another slice.
  expect(same.map(([key]) => key)).toEqual(['shop/s0/80']);
  expect([...after.readings.values()]).toEqual([...before.readings.values()]);
  expect([...after.readings.values()].every((reading) => [...before.readings.values()].includes(reading))).toBe(true);
});
