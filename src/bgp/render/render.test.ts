import { describe, expect, it } from 'vitest';
import { type Address, parseAddress } from '../../model/address.ts';
import { loadPlatformOrThrow } from '../../platform/load.ts';
import { parseRelayArguments } from '../relay/arguments.ts';
import { renderEnvironment, renderExabgp } from './config.ts';
import { resolveServer } from './server.ts';

const platform = await loadPlatformOrThrow(['examples/hybrid']);
const options = {
  relay: ['/opt/tideline/node', '/opt/tideline/relay.ts'],
  compileCache: '/var/cache/tideline',
  runDirectory: '/run/tideline',
};
const worker = () => resolveServer(platform, 'paris-worker-1', parseAddress('10.1.0.11'));

// test/integration/bgp/config.test.ts gives the goldens to the real ExaBGP.
it('renders a worker: graceful restart with manual end-of-RIB, its address static', async () => {
  await expect(renderExabgp(worker(), options)).toMatchFileSnapshot('../../../test/golden/bgp/worker.conf');
});

it('renders a blade: no graceful restart, VIPs on a lease', async () => {
  const keeper = resolveServer(platform, 'paris-blade-1', undefined);
  await expect(renderExabgp(keeper, options)).toMatchFileSnapshot('../../../test/golden/bgp/blade.conf');
  expect(keeper.blade?.lease.keeper).toBe(true);
  const other = resolveServer(platform, 'paris-blade-2', undefined);
  expect(renderExabgp(other, options)).not.toContain('--keeper');
});

it('renders a session over each uplink, whose local address is the next hop of all its routes', async () => {
  const at = (text: string) => parseAddress(text) as Address;
  const server = resolveServer(platform, 'paris-worker-1', parseAddress('10.1.0.11'), [
    { router: 'paris-tor', local: at('10.2.0.1'), remote: at('10.2.0.0') },
    { router: 'paris-tor', local: at('10.2.0.3'), remote: at('10.2.0.2') },
    { router: 'paris-tor', local: at('fd02::1'), remote: at('fd02::') },
  ]);
  await expect(renderExabgp(server, options)).toMatchFileSnapshot('../../../test/golden/bgp/uplinks.conf');
  expect(renderEnvironment(server)).toContain('bind = 10.2.0.1 10.2.0.3 fd02::1\n');
  const line = /^ {2}run (.*);$/m.exec(renderExabgp(server, options))?.[1];
  expect(parseRelayArguments(line?.split(' ').slice(4) ?? [])).toMatchObject({
    sessions: [
      { local: { text: '10.2.0.1' } },
      { local: { text: '10.2.0.3' } },
      { family: 6, local: { text: 'fd02::1' } },
    ],
  });
  const odd = (router: string, local: string) => () =>
    resolveServer(platform, 'w', parseAddress('10.1.0.11'), [{ router, local: at(local) }]);
  expect(odd('nobody', '10.2.0.1')).toThrow('no router nobody');
  expect(odd('paris-tor', 'fd02::1')).toThrow('different families');
});

it('gives the relay arguments that it understands', () => {
  const line = /^ {2}run (.*);$/m.exec(renderExabgp(resolveServer(platform, 'paris-blade-1', undefined), options))?.[1];
  expect(parseRelayArguments(line?.split(' ').slice(4) ?? [])).toMatchObject({
    socket: '/run/tideline/bgp.sock',
    sessions: [{ address: '10.1.0.1', asn: 65010, family: 4, localAsn: 65011 }],
    fixed: [{ text: '10.1.0.21/32' }],
    vips: [{ text: '192.0.2.10/32' }],
    lease: { seconds: 5, keeper: true },
  });
});

describe('bad input', () => {
  it.each([
    ['nobody', undefined, 'give the worker'],
    ['w', '172.16.0.1', 'no Site has 172.16.0.1'],
    ['w', '2001:db8::1', 'is no IPv4 address'],
  ])('%s at %s', (name, address, message) => {
    expect(() => resolveServer(platform, name, address === undefined ? undefined : parseAddress(address))).toThrow(
      message,
    );
  });

  it('hands the relay the time after which routes yield only when it is given', () => {
    expect(renderExabgp(worker(), options)).not.toContain('--yield-after');
    expect(renderExabgp(worker(), { ...options, yieldSeconds: 3 })).toMatch(/ --yield-after 3;/);
    const argv = ['--socket', '/s', '--local-asn', '1', '--neighbor', '10.1.0.1=1'];
    expect(parseRelayArguments(argv)).toMatchObject({ yieldAfterMs: 90_000 });
    expect(parseRelayArguments([...argv, '--yield-after', '3'])).toMatchObject({ yieldAfterMs: 3000 });
  });

  it('refuses a folder that exabgp.conf cannot hold', () => {
    expect(() => renderExabgp(worker(), { ...options, runDirectory: '/run/a b' })).toThrow('cannot hold');
    expect(() => renderExabgp(worker(), { ...options, runDirectory: '/run/a;b' })).toThrow('cannot hold');
  });

  it.each([
    [[], '--socket'],
    [['--socket', '/s'], '--local-asn'],
    [['--socket', '/s', '--local-asn', '65011'], '--neighbor'],
    [['--socket', '/s', '--local-asn', '65011', '--neighbor', '10.1.0.1'], 'ADDRESS=ASN'],
    [['--socket', '/s', '--local-asn', '0', '--neighbor', '10.1.0.1=1'], '--local-asn'],
    [['--socket', '/s', '--local-asn', '1', '--neighbor', '10.1.0.1=1', '--vip', '10.1.0.1/8'], '--vip'],
    [['--socket', '/s', '--local-asn', '1', '--neighbor', '10.1.0.1=1', '--lease', 'x'], '--lease'],
    [['--socket', '/s'.repeat(60), '--local-asn', '1', '--neighbor', '10.1.0.1=1'], '100 bytes'],
    [['--socket', '/s', '--local-asn', '1', '--neighbor', '10.1.0.1=1', '--yield-after', '0'], '--yield-after'],
    [['--what'], '--what'],
  ])('relay %s', (argv, problem) => {
    expect(parseRelayArguments(argv)).toMatchObject({ problem: expect.stringContaining(problem) });
  });
});

it('makes keepers of the first blades by name', () => {
  const pool = platform.edgePools.get('paris-edge');
  if (pool === undefined) throw new Error('unreachable');
  const two = { ...pool, spec: { ...pool.spec, minAnnouncers: 2 } };
  const keepers = (given: typeof pool) => {
    const changed = { ...platform, edgePools: new Map([...platform.edgePools, ['paris-edge', given]]) };
    const blades = ['paris-blade-1', 'paris-blade-2'].map((name) => resolveServer(changed, name, undefined).blade);
    return blades.map((blade) => blade?.lease.keeper);
  };
  expect(keepers(pool)).toEqual([true, false]);
  expect(keepers(two)).toEqual([true, true]);
});
