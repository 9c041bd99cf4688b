import { beforeAll, describe, expect, test } from 'vitest';
import { compileFleet } from '../../../src/planes/fleet/compile/compile.ts';
import { fleetPlatform, oneOfEachRole, shippedUnits } from '../../support/fleet.ts';
import { type Minion, scratchMinion } from '../../support/salt/minion.ts';

/** The documents that the compile makes, one for each role: Salt renders every formula of theirs and resolves every requisite. */
describe('formulas and compiled documents agree', () => {
  let minion: Minion;
  beforeAll(async () => {
    minion = await scratchMinion('roles');
  });

  test.each(oneOfEachRole)('%s', async (_, server, shape) => {
    const document = compileFleet(fleetPlatform(shape), shippedUnits()).documents.get(server);
    if (document === undefined) throw new Error(`there is no ${server}`);
    // `mock` orders and validates everything and does nothing.
    const results = await minion.apply(document, 'mock=True');
    const ids = results.map(({ __id__: id }) => id);
    for (const { name, files, units } of document.components) {
      for (const path of Object.keys(files)) expect(ids).toContain(`${name} file ${path}`);
      for (const [unit, { running }] of Object.entries(units))
        expect(ids.includes(`${name} service ${unit}`), unit).toBe(running);
    }
    for (const path of Object.keys(document.pki.keys)) expect(ids).toContain(`pki keys ${path}`);
    expect(
      results.filter(({ result }) => result === false).map(({ __id__: id, comment }) => `${id}: ${comment}`),
    ).toEqual([]);
  });
});
