import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAddress, parsePrefix } from '../model/address.ts';
import { decodeLine } from './decode.ts';
import { attributesKey } from './diff.ts';
import { announceCommands } from './encode.ts';
import type { Route } from './route.ts';
import { encodeMessage, parseRelayMessage } from './wire.ts';
import { askedRoute, maxPrepend, yieldingRoute, yields } from './yield.ts';

const [prefix, nextHop] = [parsePrefix('10.10.1.0/26'), parseAddress('10.1.0.11')];
if (prefix === undefined || nextHop === undefined) throw new Error('unreachable');
const plain: Route = { prefix, nextHop, class: 'pods', because: 'test' };

/** A route as an agent may ask for it. */
const asked = fc
  .record(
    {
      med: fc.nat(),
      communities: fc.constant([[65011, 1]] as const),
      prepend: fc.integer({ min: 1, max: maxPrepend }),
    },
    { requiredKeys: [] },
  )
  .map((more): Route => ({ ...plain, ...more }));

const pathLength = ({ prepend = 0 }: Route): number => prepend + 1;

it('yields to every path that an agent can ask for, also when that comes through four more ASes', () => {
  fc.assert(
    fc.property(asked, (route) => {
      expect(pathLength(yieldingRoute(route))).toBeGreaterThan(pathLength(route) + 4);
      expect(pathLength(yieldingRoute(plain))).toBeGreaterThan(pathLength({ ...plain, prepend: maxPrepend }));
    }),
  );
});

it('changes nothing but the prepends, once, and can be told and undone from the route alone', () => {
  fc.assert(
    fc.property(asked, (route) => {
      const yielding = yieldingRoute(route);
      expect([yields(route), yields(yielding)]).toEqual([false, true]);
      expect(yieldingRoute(yielding)).toBe(yielding);
      expect(askedRoute(route)).toBe(route);
      expect(askedRoute(yielding)).toEqual(route);
    }),
  );
});

it('goes through ExaBGP and over the socket like any other route', () => {
  fc.assert(
    fc.property(asked, (route) => {
      const yielding = yieldingRoute(route);
      const [command] = announceCommands({ address: '10.1.0.1', family: 4, localAsn: 65011 }, [yielding]);
      const attributes = / attributes (.*) nlri /.exec(command?.line ?? '')?.[1]?.replaceAll(/\[(.*?)\]/g, '[ $1 ]');
      const line = decodeLine(`neighbor 10.1.0.1 local-ip x ipv4 unicast 10.10.1.0/26 ${attributes}`);
      expect(line.kind === 'route' && attributesKey(line.route)).toBe(attributesKey(yielding));
      const message = { type: 'held', routes: [yielding], fixed: [] } as const;
      expect(parseRelayMessage(encodeMessage(message).trimEnd())).toEqual(message);
    }),
  );
});
