import { expect, it } from 'vitest';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { differingField } from './pool-difference.ts';

const pool = poolForTests();
const written = {
  cluster: 'paris',
  blades: [
    { name: 'paris-blade-1', address: '10.1.0.21' },
    { name: 'paris-blade-2', address: '10.1.0.22' },
  ],
  vips: [{ address: '192.0.2.10' }],
};

it.each<[string, unknown, string | undefined]>([
  ['the same', written, undefined],
  ['the same with defaults written out', { ...written, ingressClass: 'tideline', ports: { http: 80 } }, undefined],
  ['another address', { ...written, vips: [{ address: '192.0.2.11' }] }, 'spec.vips[0].address'],
  ['one more VIP', { ...written, vips: [...written.vips, { address: '192.0.2.11' }] }, 'spec.vips[1]'],
  ['one blade less', { ...written, blades: written.blades.slice(0, 1) }, 'spec.blades[1]'],
  ['another class', { ...written, ingressClass: 'internal' }, 'spec.ingressClass'],
  ['what is no pool', { ...written, vips: [] }, 'spec.vips'],
  ['nothing', undefined, 'spec'],
])('an object that says %s', (_, spec, field) => {
  expect(differingField(pool, spec)).toBe(field);
});
