import fc from 'fast-check';
import { countries } from '../../../src/model/geo/countries.ts';

const names = ['amsterdam', 'berlin', 'cairo', 'delhi', 'essen'] as const;
const weighted = fc.record({ name: fc.constantFrom(...names), weight: fc.integer({ min: 0, max: 255 }) });
const answer = {
  clusters: fc.uniqueArray(weighted, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
  failover: fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }),
};
const codes = countries.map(({ code }) => code);
const rule = fc.record({
  countries: fc.subarray(codes, { maxLength: 30 }),
  continents: fc.subarray(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']),
  ...answer,
});
/** Arbitrary rules and default of a policy. */
export const policySpec = fc.record({ rules: fc.array(rule, { maxLength: 8 }), default: fc.record(answer) });
/** One to three addresses for each cluster. */
export const clusterAddresses = fc.record(
  Object.fromEntries(
    names.map((name, index) => [
      name,
      fc.integer({ min: 1, max: 3 }).map((count) => Array.from({ length: count }, (_, n) => `192.0.${index}.${n + 1}`)),
    ]),
  ),
);
/** Up to two addresses of each family for each cluster; of none at all a cluster gets one. */
export const dualAddresses = fc.record(
  Object.fromEntries(
    names.map((name, index) => [
      name,
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })).map(([v4, v6]) => {
        const four = Array.from({ length: v4 === 0 && v6 === 0 ? 1 : v4 }, (_, n) => `192.0.${index}.${n + 1}`);
        return [...four, ...Array.from({ length: v6 }, (_, n) => `2001:db8:${index + 1}::${n + 1}`)];
      }),
    ]),
  ),
);
/** Arbitrary clusters that are out of service. */
export const drainedClusters = fc.subarray([...names]);
/** Arbitrary clusters that fail their health checks. */
export const failedClusters = fc.subarray([...names]);
