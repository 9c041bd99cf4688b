import { describe, expect, it } from 'vitest';
import { parseRoutes, parseRules, parseUplinkRules } from './parse.ts';

const texts = (json: string, family: 4 | 6) => parseRoutes(json, family).blackholes.map(({ text }) => text);

describe('parseRoutes', () => {
  it('knows our blackholes of both families as iproute2 prints them', () => {
    const ours = '"protocol":"114","flags":[]';
    const four = `[{"type":"blackhole","dst":"10.10.1.0/26","metric":65535,${ours}},{"type":"blackhole","dst":"10.10.9.9",${ours}}]`;
    const six = `[{"type":"blackhole","dst":"2001:db8:1::/122","dev":"lo","metric":65535,"pref":"medium",${ours}}]`;
    expect(texts(four, 4)).toEqual(['10.10.1.0/26', '10.10.9.9/32']);
    expect(texts(six, 6)).toEqual(['2001:db8:1::/122']);
    expect(texts(four.replaceAll('"protocol"', '"table":"7","protocol"'), 4)).toEqual([]);
    expect(texts('', 4)).toEqual([]);
    expect(texts('[ ]\n', 6)).toEqual([]);
  });

  it('knows the routes of others, but for those to the machine itself', () => {
    const json = `[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
      {"type":"blackhole","dst":"10.10.1.0/26","protocol":"bird","metric":32,"flags":[]},
      {"dst":"10.10.1.64/26","dev":"x","table":"100","scope":"link","flags":[]},
      {"type":"local","dst":"127.0.0.0/8","dev":"lo","table":"local","protocol":"kernel","flags":[]}]`;
    expect(parseRoutes(json, 4)).toEqual({
      blackholes: [],
      uplinks: ['eth0'],
      foreign: [
        expect.objectContaining({
          prefix: expect.objectContaining({ text: '0.0.0.0/0' }),
          table: 'main',
          leaves: true,
        }),
        expect.objectContaining({ type: 'blackhole', protocol: 'bird', metric: 32, leaves: false }),
        expect.objectContaining({ table: '100', type: 'unicast', protocol: 'boot', metric: 0 }),
      ],
    });
  });
});

it('knows the rules that send packets of anybody to another table before the main one', () => {
  const json = `[{"priority":0,"src":"all","table":"local"},
    {"priority":50,"src":"all","table":"100"},
    {"priority":51,"src":"all","dst":"10.10.0.0","dstlen":16,"table":"101"},
    {"priority":52,"src":"10.1.0.11","table":"102"},
    {"priority":53,"src":"all","fwmark":"0x1","table":"103"},
    {"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]`;
  expect(parseRules(json, 4)).toEqual([
    { family: 4, priority: 50, table: '100' },
    { family: 4, priority: 51, table: '101', to: expect.objectContaining({ text: '10.10.0.0/16' }) },
  ]);
});

it('knows the uplinks: interfaces of routes through other machines, and of the default route', () => {
  const json = `[{"dst":"default","dev":"ppp0","flags":[]},
    {"dst":"192.0.2.0/24","nexthops":[{"gateway":"10.1.0.1","dev":"eth1"},{"gateway":"10.1.0.2","dev":"eth0"}],"flags":[]},
    {"dst":"198.51.100.0/24","via":{"family":"inet6","host":"fe80::1"},"dev":"eth2","table":"7","flags":[]},
    {"dst":"10.10.1.5","dev":"cali1","flags":[]},{"dst":"10.10.2.0/26","dev":"cni0","flags":[]},
    {"type":"unreachable","dst":"default","dev":"lo","metric":4294967295,"flags":[]}]`;
  expect(parseRoutes(json, 4).uplinks).toEqual(['eth0', 'eth1', 'eth2', 'ppp0']);
});

it('knows our own rules, which are not those of others', () => {
  const four = `[{"priority":114,"src":"all","dst":"10.10.1.0","dstlen":26,"iif":"eth0","table":"main","suppress_prefixlen":25,"protocol":"114"},
    {"priority":115,"src":"all","dst":"10.10.1.0","dstlen":26,"iif":"eth0","iif_detached":null,"action":"blackhole","protocol":"114"},
    {"priority":114,"src":"all","dst":"10.10.2.0","dstlen":26,"iif":"eth0","table":"main","suppress_prefixlen":7,"protocol":"114"},
    {"priority":115,"src":"all","dst":"10.10.3.0","dstlen":26,"iif":"eth0","action":"blackhole","protocol":"static"},
    {"priority":115,"src":"all","dst":"10.10.4.0","dstlen":26,"action":"blackhole","protocol":"114"}]`;
  expect(parseUplinkRules(four, 4)).toEqual([
    { block: expect.objectContaining({ text: '10.10.1.0/26' }), uplink: 'eth0', action: 'inside' },
    { block: expect.objectContaining({ text: '10.10.1.0/26' }), uplink: 'eth0', action: 'drop' },
  ]);
  expect(parseRules(four, 4)).toEqual([]);
});
