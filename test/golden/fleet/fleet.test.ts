import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { compileFleet } from '../../../src/planes/fleet/compile/compile.ts';
import { loadPlatform } from '../../../src/platform/load.ts';
import { fleetPlatform, oneOfEachRole, shippedUnits } from '../../support/fleet.ts';

/** Texts of units that this checkout ships stand in `deploy/systemd` and are left out. */
describe('Fleet → document of a server, and its certificates (UPDATE_GOLDEN=1 writes the expectations anew)', () => {
  it.each(oneOfEachRole)('%s', (name, server, shape) => {
    const shipped = shippedUnits();
    const { documents, pkiPlan } = compileFleet(fleetPlatform(shape), shipped);
    const texts = new Map(Object.entries(shipped).map(([unit, text]) => [text, `deploy/systemd/${unit}`]));
    const shown = JSON.parse(
      JSON.stringify({ document: documents.get(server), certificates: pkiPlan[server] }),
      (_, value) => texts.get(value) ?? value,
    );
    const actual = stringify(shown, { lineWidth: 0, aliasDuplicateObjects: false });
    const file = join(import.meta.dirname, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
    expect(existsSync(file), `${file} is there`).toBe(true);
    expect(actual).toBe(readFileSync(file, 'utf8'));
  });
});

describe('Fleet → objects of its cluster; those that are files of this package stand in `deploy`', () => {
  it.each([
    ['objects-calico', {}],
    ['objects-static-gpu', { ipam: { static: {} }, gpus: true }],
  ])('%s', (name, shape) => {
    const { objects } = compileFleet(fleetPlatform(shape), {});
    const actual = stringify(objects.get('site0'), { lineWidth: 0, aliasDuplicateObjects: false });
    const file = join(import.meta.dirname, `${name}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
    expect(existsSync(file), `${file} is there`).toBe(true);
    expect(actual).toBe(readFileSync(file, 'utf8'));
  });
});

it.each(['site0-worker0000', 'site0-blade000'])(
  '%s has a part of the platform spec that its agents can read',
  async (server) => {
    const { documents } = compileFleet(fleetPlatform(), shippedUnits());
    const path = '/etc/tideline/platform/platform.json';
    const text = documents
      .get(server)
      ?.components.map(({ files }) => files[path]?.text)
      .find((found) => found !== undefined);
    const folder = mkdtempSync(join(tmpdir(), 'tideline-fleet-'));
    try {
      writeFileSync(join(folder, 'platform.json'), text ?? '');
      const result = await loadPlatform([folder]);
      if (!('platform' in result)) throw new Error(JSON.stringify(result.problems));
      expect([...result.platform.sites.keys(), ...result.platform.edgePools.keys()]).toEqual(['site0', 'site0-edge']);
      const blades = result.platform.edgePools.get('site0-edge')?.spec.blades.length;
      expect(blades).toBe(server === 'site0-blade000' ? 2 : 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
