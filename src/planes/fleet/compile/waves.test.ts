import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fleetPlatform } from '../../../../test/support/fleet.ts';
import { compileFleet } from './compile.ts';

it('never has two members, two control planes, two racks or more blades than a pool can spare in a wave', () => {
  const shape = fc.record({
    workersPerSite: fc.integer({ min: 1, max: 80 }),
    bladesPerSite: fc.integer({ min: 1, max: 12 }),
    dedicatedEtcd: fc.boolean(),
  });
  fc.assert(
    fc.property(shape, (change) => {
      const platform = fleetPlatform(change);
      const { waves, documents } = compileFleet(platform, {});
      expect(waves.flatMap(({ servers }) => servers).toSorted()).toEqual([...documents.keys()].toSorted());
      for (const { kind, servers } of waves) {
        const racks = new Set(servers.map((name) => platform.servers.get(name)?.spec.rack));
        if (kind === 'etcd' || kind === 'control-plane') expect(servers).toHaveLength(1);
        if (kind === 'worker') expect([racks.size, servers.length <= 20]).toEqual([1, true]);
        if (kind === 'blade')
          expect(servers.length).toBeLessThanOrEqual(Math.max(1, Math.floor(change.bladesPerSite / 4)));
      }
    }),
    { numRuns: 40 },
  );
});

it('goes from what others need to what needs others', () => {
  const { waves } = compileFleet(fleetPlatform({ dedicatedEtcd: true, workersPerSite: 50 }), {});
  const kinds = ['etcd', 'control-plane', 'canary', 'worker', 'blade'];
  const order = waves.map(({ kind }) => kinds.indexOf(kind));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(new Set(order).size).toBe(kinds.length);
});
