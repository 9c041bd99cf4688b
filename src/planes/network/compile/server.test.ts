import { describe, expect, it } from 'vitest';
import { calico } from '../../../../test/support/network/calico.ts';
import { compile, me, summary } from '../../../../test/support/network/compiled.ts';
import { type Prefix, parsePrefix } from '../../../model/address.ts';

const cidr = '10.10.1.0/26';
const objects = (addresses: string) => [
  calico.node(me, addresses),
  calico.pool('10.10.0.0/16'),
  ...calico.owned(cidr, me),
];
const machine = (here: string, ...rendered: readonly string[]) => ({
  addresses: new Set(here.split(' ')),
  rendered: rendered.map((text) => parsePrefix(text)).filter((prefix): prefix is Prefix => prefix !== undefined),
});

describe('the address of a Node', () => {
  it.each([
    ['that nobody has', '10.1.0.77', machine('10.1.0.11'), 'AddressNotHere'],
    ['of which one is not here', '10.1.0.11 10.1.0.77', machine('10.1.0.11'), 'AddressNotHere'],
    ['of another family that is not here', '10.1.0.11 2001:db8::99', machine('10.1.0.11'), 'AddressNotHere'],
    ['that was not rendered', '10.1.0.11', machine('10.1.0.11 10.1.0.12', '10.1.0.12/32'), 'NextHopNotRendered'],
  ])('%s holds everything', (_, addresses, here, hold) => {
    expect(summary(objects(addresses), { machine: here })).toEqual({ hold });
  });

  it.each([
    ['the one that was rendered', '10.1.0.11 10.1.0.12', machine('10.1.0.11 10.1.0.12', '10.1.0.12/32'), '10.1.0.12'],
    ['the first where none was', '10.1.0.11 10.1.0.12', machine('10.1.0.11 10.1.0.12'), '10.1.0.11'],
    ['of a family that was not rendered', '10.1.0.11', machine('10.1.0.11', '2001:db8::11/128'), '10.1.0.11'],
  ])('is the next hop: %s', (_, addresses, here, nextHop) => {
    const plan = compile(objects(addresses), { machine: here });
    if (plan.action !== 'announce') throw new Error(plan.reason);
    const route = plan.routes.find((one) => one.class === 'pods');
    expect(route).toMatchObject({ prefix: { text: cidr }, nextHop: { text: nextHop } });
  });

  it('does not keep a Drain of this server from its effect, but one of another server', () => {
    const drained = { drained: 'at once' as const, machine: machine('10.1.0.11') };
    expect(compile(objects('10.1.0.11 10.1.0.77'), drained)).toMatchObject({
      routes: [{ class: 'server', prefix: { text: '10.1.0.11/32' } }],
      withdrawn: 'NodeDrained',
    });
    expect(summary(objects('10.1.0.77'), drained)).toEqual({ hold: 'AddressNotHere' });
  });
});
