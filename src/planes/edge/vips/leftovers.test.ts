import { afterEach, describe, expect, it } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { Rig, stopAgents } from '../../../../test/support/edge-rig.ts';
import { parseAddress } from '../../../model/address.ts';
import { type LoopbackAddress, loopbackAddresses } from './loopback.ts';

afterEach(stopAgents);

const onLo = (text: string, ours: boolean): LoopbackAddress => ({ address: parseAddress(text)!, ours });

const shown = (rig: Rig): readonly string[] => rig.onLoopback.map(({ address }) => address.text);

describe('an address of lo that is no VIP of this blade', () => {
  it('goes half a minute after it is withdrawn when an agent added it; one of somebody else is named and stays', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onLoopback = [
      onLo('192.0.2.10', true),
      onLo('192.0.2.13', true),
      onLo('192.0.2.14', false),
      onLo('10.1.0.21', false),
    ];
    await rig.serve();
    await rig.clock.advance(25_000);
    expect(shown(rig)).toHaveLength(4);
    expect(rig.agent.status().notices).toEqual([]);
    await rig.clock.advance(20_000);
    expect(shown(rig)).toEqual(['192.0.2.10', '192.0.2.14', '10.1.0.21']);
    expect(rig.agent.status().notices).toMatchObject([{ subject: '192.0.2.14', reason: 'VipAddressLeft' }]);
    rig.onLoopback = [onLo('192.0.2.10', true)];
    await rig.clock.advance(11_000);
    expect(rig.agent.status().notices).toEqual([]);
  });

  it('stays for the ten minutes in which a VIP leaves its pool, and half a minute more', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onLoopback = [onLo('192.0.2.10', true)];
    await rig.serve();
    rig.platform = platformForTests({ pool: poolForTests({ vips: [{ address: '192.0.2.11' }] }) });
    await rig.clock.advance(600_000);
    expect(shown(rig)).toEqual(['192.0.2.10']);
    await rig.clock.advance(45_000);
    expect(shown(rig)).toEqual([]);
  });

  it('stays while nobody knows what ExaBGP announces', async () => {
    const rig = new Rig('paris-blade-1');
    rig.onLoopback = [onLo('192.0.2.13', true)];
    rig.speaker.relay = 'disconnected';
    await rig.serve();
    await rig.clock.advance(120_000);
    expect(shown(rig)).toEqual(['192.0.2.13']);
    rig.speaker.relay = 'synced';
    await rig.clock.advance(45_000);
    expect(shown(rig)).toEqual([]);
  });
});

it('reads the addresses of one machine alone from what ip prints, and which of them an agent added', () => {
  const printed = [
    {
      addr_info: [
        { family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' },
        { family: 'inet', local: '192.0.2.9', prefixlen: 32, metric: 114, scope: 'global' },
        { family: 'inet6', local: '2001:db8::9', prefixlen: 128, metric: 114, scope: 'global' },
        { family: 'inet6', local: '::1', prefixlen: 128, scope: 'host' },
        { family: 'inet', local: '10.1.0.21', prefixlen: 32, scope: 'global' },
      ],
    },
  ];
  expect(loopbackAddresses(printed).map(({ address, ours }) => [address.text, ours])).toEqual([
    ['192.0.2.9', true],
    ['2001:db8::9', true],
    ['::1', false],
    ['10.1.0.21', false],
  ]);
});
