import fc from 'fast-check';
import { expect, test } from 'vitest';
import { whoServes } from '../../../../test/support/ingress-nginx.ts';
import { anyOwners, plainOwners, requestPaths, tableOf } from '../../../../test/support/limited-ingresses.ts';
import { routeOf } from '../../../../test/support/path-match.ts';

/** What the table of Ingresses on one host makes of a request, in the words of the model of ingress-nginx. */
function serverOf(
  owners: Parameters<typeof whoServes>[0],
): (path: string) => 'open' | 'limited' | 'refused' | 'nobody' {
  const host = tableOf(new Map([['a.example', owners]])).hosts.find(({ name }) => name === 'a.example');
  return (path) => {
    const route = routeOf(host, path);
    if (route === undefined) return 'nobody';
    if (route.settings?.refused !== undefined) return 'refused';
    return route.settings?.allow === undefined ? 'open' : 'limited';
  };
}

test('whatever ingress-nginx would limit is not open', () => {
  fc.assert(
    fc.property(anyOwners, (owners) => {
      const answer = serverOf(owners);
      const open = requestPaths.filter((path) => whoServes(owners, path) === 'limited' && answer(path) === 'open');
      expect(open).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('without regular expressions the same is open and the same limited', () => {
  fc.assert(
    fc.property(plainOwners, (owners) => {
      const answer = serverOf(owners);
      expect(requestPaths.map(answer)).toEqual(requestPaths.map((path) => whoServes(owners, path)));
    }),
    { numRuns: 300 },
  );
});
