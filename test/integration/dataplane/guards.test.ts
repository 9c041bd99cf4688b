import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint, RoutingTable } from '../../../src/planes/edge/table.ts';
import type { PathOwner } from '../../support/ingress-nginx.ts';
import { anyOwners, plainOwners, requestPaths, tableOf } from '../../support/limited-ingresses.ts';
import { routeOf } from '../../support/path-match.ts';
import { backend, World } from './world.ts';

/** What Ingresses limit, from their objects to the answers of a real nginx. Clients come from 10.77.0.1, which no list allows. */

let world: World;
let pod: Endpoint;
beforeAll(async () => {
  world = await World.create();
  pod = await world.pod('web', 1);
});
afterAll(() => world.destroy());

async function serve(hosts: ReadonlyMap<string, readonly PathOwner[]>): Promise<RoutingTable> {
  const compiled = tableOf(hosts);
  await world.plane.apply({ ...compiled, backends: [backend('shop/web/80', pod)] });
  return compiled;
}

const statusOf = async (host: string, path: string): Promise<number> => (await world.ask({ host, path })).status;

const web: PathOwner = { limits: false, regex: false, paths: [{ text: '/', type: 'Prefix' }] };

test('a guarded path is reached by no other way of writing it', async () => {
  const admin = (text: string, regex: boolean): PathOwner => ({
    limits: true,
    regex,
    paths: [{ text, type: 'ImplementationSpecific' }],
  });
  const open: PathOwner = { limits: false, regex: false, paths: [{ text: '/admin/of/the/public', type: 'Prefix' }] };
  await serve(
    new Map([
      ['text.example', [web, admin('/admin', false)]],
      ['regex.example', [web, open, admin('/admin(/|$)(.*)', true)]],
      ['optional.example', [web, admin('/admin/?(.*)', true)]],
    ]),
  );
  const ways = ['/admin', '/admin/', '/admin/x', '//admin', '/./admin', '/%61dmin', '/x/../admin', '/admin%2Fx'];
  for (const path of [...ways, '/x/%2e%2e/admin', '/admin?x', '/admin/..;/admin']) {
    expect([path, await statusOf('text.example', path)]).toEqual([path, 403]);
    expect([path, await statusOf('regex.example', path)]).toEqual([path, 503]);
    expect([path, await statusOf('optional.example', path)]).toEqual([path, 503]);
  }
  expect(await statusOf('text.example', '/admin.php')).toBe(403);
  expect(await statusOf('text.example', '/ADMIN')).toBe(200);
  expect(await statusOf('optional.example', '/admin.php')).toBe(503);
  expect(await statusOf('optional.example', '/ADMIN/x')).toBe(503);
  expect(await statusOf('regex.example', '/ADMIN')).toBe(503);
  expect(await statusOf('regex.example', '/Admin/x')).toBe(503);
  expect(await statusOf('regex.example', '/administrator')).toBe(200);
  expect(await statusOf('regex.example', '/admin/of/the/public/x')).toBe(200);
  expect(await statusOf('regex.example', '/ADMIN/of/the/public')).toBe(503);
  for (const host of ['text.example', 'regex.example', 'optional.example'])
    expect(await statusOf(host, '/admin/../x')).toBe(200);
});

test('of matches of the same length the one that matches less answers', async () => {
  // The expression refuses `/a` and what is below it; the other path has the text `/a` and what begins with it, in any case.
  const owners: PathOwner[] = [
    {
      limits: true,
      regex: false,
      paths: [
        { text: '/A', type: 'ImplementationSpecific' },
        { text: '/a/.+', type: 'Prefix' },
      ],
    },
    { limits: false, regex: true, paths: [{ text: '/b', type: 'ImplementationSpecific' }] },
  ];
  await serve(new Map([['same.example', owners]]));
  expect(await statusOf('same.example', '/a/x')).toBe(503);
  expect(await statusOf('same.example', '/ax')).toBe(403);
});

test('nginx serves Ingresses of chance as the model of its matching says', { timeout: 60_000 }, async () => {
  const seed = Date.now();
  const cases = fc.sample(fc.oneof(anyOwners, plainOwners), { numRuns: 100, seed });
  const hosts = new Map(cases.map((owners, index) => [`h${index}.example`, owners]));
  const { hosts: compiled } = await serve(hosts);
  for (const [host, owners] of hosts) {
    const entry = compiled.find(({ name }) => name === host);
    const expected = requestPaths.map((path) => {
      const route = routeOf(entry, path);
      if (route === undefined) return 404;
      if (route.settings?.refused !== undefined) return 503;
      return route.settings?.allow === undefined ? 200 : 403;
    });
    const answers: number[] = [];
    for (const path of requestPaths) answers.push(await statusOf(host, path));
    expect({ answers }, `seed ${seed}: ${JSON.stringify(owners)}`).toEqual({ answers: expected });
  }
});
