import { describe, expect, it } from 'vitest';
import { parseAddress, parsePrefix } from '../model/address.ts';
import { decodeLine } from './decode.ts';
import { announceCommands, endOfRib, withdrawCommands } from './encode.ts';
import type { Route } from './route.ts';

const four = { address: '10.1.0.1', family: 4, localAsn: 65011 } as const;
const six = { address: '2001:db8::1', family: 6, localAsn: 65011 } as const;

function route(text: string, more: Partial<Route> = {}): Route {
  const prefix = parsePrefix(text);
  const nextHop = parseAddress(prefix?.family === 6 ? '2001:db8::11' : '10.1.0.11');
  if (prefix === undefined || nextHop === undefined) throw new Error(text);
  return { prefix, nextHop, class: 'pods', because: 'test', ...more };
}

describe('commands', () => {
  it('group routes that share attributes, with an explicit next hop and neighbour', () => {
    const routes = [
      route('10.10.1.0/26'),
      route('10.10.2.0/26', { med: 5, localPreference: 50, communities: [[65011, 1]], prepend: 1 }),
      route('10.10.3.0/26'),
      route('2001:db8:1::/64'),
    ];
    expect(announceCommands(four, routes).map(({ line }) => line)).toEqual([
      'neighbor 10.1.0.1 announce attributes next-hop 10.1.0.11 nlri 10.10.1.0/26 10.10.3.0/26',
      'neighbor 10.1.0.1 announce attributes next-hop 10.1.0.11 med 5 local-preference 50 community [65011:1] as-path [65011 65011] nlri 10.10.2.0/26',
    ]);
    expect(withdrawCommands(six, routes).map(({ line }) => line)).toEqual([
      'neighbor 2001:db8::1 withdraw attributes next-hop 2001:db8::11 nlri 2001:db8:1::/64',
    ]);
    expect(endOfRib(six)).toBe('neighbor 2001:db8::1 announce eor ipv6 unicast');
  });

  it('stay within 100 prefixes and within one atomic write to a pipe', () => {
    const many = Array.from({ length: 250 }, (_, i) =>
      route(`2001:db8:1111:2222:3333:4444:5555:${i.toString(16)}/128`),
    );
    const commands = announceCommands(six, many);
    expect(commands.every(({ line, routes }) => line.length < 4096 && routes.length <= 100)).toBe(true);
    expect(commands.flatMap(({ routes }) => routes)).toEqual(many);
    expect(announceCommands(four, [])).toEqual([]);
  });
});

describe('lines from ExaBGP', () => {
  const event = (state: string): string =>
    `{ "exabgp": "4.0.1", "type": "state", "neighbor": { "address": { "local": "10.1.0.11", "peer": "10.1.0.1" }, "state": "${state}" } }`;

  it.each([
    ['done', { kind: 'done' }],
    ['error', { kind: 'error' }],
    [event('up'), { kind: 'session', neighbor: '10.1.0.1', state: 'up' }],
    [event('down'), { kind: 'session', neighbor: '10.1.0.1', state: 'down' }],
    ['Peer            AS        up/down state       |     #sent     #recvd', { kind: 'neighborsHeader' }],
    [
      '10.1.0.1        65010     0:00:06 established           5          1',
      { kind: 'established', neighbor: '10.1.0.1' },
    ],
    [
      '2001:db8::1     65010     1 day, 0:00:06 established    5          1',
      { kind: 'established', neighbor: '2001:db8::1' },
    ],
  ])('%s', (line, expected) => {
    expect(decodeLine(line)).toEqual(expected);
  });

  it.each([
    [
      'peer reset, message (notification received (6,2)) error(Cease / Administrative Shutdown)',
      'notification received (6,2): Cease / Administrative Shutdown',
    ],
    [
      'peer reset, message (closing connection) error(Broken TCP connection)',
      'closing connection: Broken TCP connection',
    ],
    ['peer reset, message () error()', undefined],
    [
      "peer reset, message (notification received (2,2)) error('utf-8' codec can't decode byte 0xfd in position 2: invalid start byte)",
      'notification received (2,2): OPEN Message Error / Bad Peer AS',
    ],
    [
      "peer reset, message (notification received (6,99)) error('utf-8' codec can't decode byte 0xc8 in position 6)",
      'notification received (6,99): Cease',
    ],
    [
      "peer reset, message (notification received (99,0)) error('utf-8' codec can't decode byte 0xc8 in position 6)",
      'notification received (99,0): an error that no RFC names',
    ],
    ["peer reset, message (closing connection) error('utf-8' codec can't decode byte 0xc8)", 'closing connection'],
    ['', undefined],
    [
      'out loop, peer reset, message \u001b[31mred\u0000\n{"type":1}',
      'out loop, peer reset, message [31mred {"type":1}',
    ],
    ['x'.repeat(5000), 'x'.repeat(200)],
    [
      'peer reset, message (notification sent (1,0)) error(Message header error / Unspecific / can not decode update message of type \\"3\\")',
      'notification received (6,2 or 6,4): Cease / Administrative Shutdown or Reset, with a text that ExaBGP cannot read',
    ],
    [
      'peer reset, message (notification received (6,1)) error(Cease / Maximum Number of Prefixes Reached / \u0000\u0001\u0001\u0000\u0000\u0000\u0002)',
      'notification received (6,1): Cease / Maximum Number of Prefixes Reached',
    ],
    // A router that forges members of the event.
    [
      'peer reset, message (notification received (6,8)) error(Cease / Out of Resources / x\\\\","state":"up","y":"z)',
      String.raw`notification received (6,8): Cease / Out of Resources / x\","state":"up","y":"z`,
    ],
    ['a", "reason": "b', 'a", "reason": "b'],
  ])('takes the reason of a session that is down as plain text: %.40s', (reason, expected) => {
    const line = event('down').replace(' } }', `, "reason": "${reason}" } }`);
    expect(decodeLine(line)).toEqual({
      kind: 'session',
      neighbor: '10.1.0.1',
      state: 'down',
      ...(expected === undefined ? {} : { reason: expected }),
    });
  });

  it('takes the reason of a line that was cut in it', () => {
    const [line = ''] = event('down').replace(' } }', `, "reason": "Cease / \n\n" } }`).split('\n');
    expect(decodeLine(line)).toEqual({ kind: 'session', neighbor: '10.1.0.1', state: 'down', reason: 'Cease' });
  });

  it('reads a route back', () => {
    const line =
      'neighbor 10.1.0.1 local-ip 10.1.0.11 local-as 65011 peer-as 65010 router-id 10.1.0.11 family-allowed in-open ipv4 unicast 10.10.1.0/26 next-hop 10.1.0.11 med 10 local-preference 200 community [ 65011:1 65011:2 ] as-path [ 65011 65011 ]';
    expect(decodeLine(line)).toMatchObject({
      kind: 'route',
      neighbor: '10.1.0.1',
      route: {
        prefix: { text: '10.10.1.0/26' },
        med: 10,
        localPreference: 200,
        communities: [
          [65011, 1],
          [65011, 2],
        ],
        prepend: 1,
      },
    });
  });

  it.each([
    '',
    'doner',
    ' done',
    event('connected'),
    '{ "type": "state" }',
    '{"type":"state","neighbor":{"address":{"peer":"10.1.0.1; shutdown"},"state":"up"}}',
    '{',
    'neighbor 10.1.0.1 ipv4 unicast 10.10.1.1/26 next-hop 10.1.0.11',
    'neighbor x local-ip y ipv4 unicast 10.10.1.0/26 next-hop z',
    'x'.repeat(70_000),
  ])('has no effect: %.40s', (line) => {
    expect(decodeLine(line)).toEqual({ kind: 'unknown' });
  });
});
