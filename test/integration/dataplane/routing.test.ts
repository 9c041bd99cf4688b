import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backend, host, seen, table, World } from './world.ts';

let world: World;

/**
 * The rules of the Ingress conformance features (path_rules, host_rules, default_backend) and of the edge's own
 * decisions.
 */
const hosts = [
  host('exact.example', { 'exact /foo': 'n/a/80', 'exact /slash/': 'n/b/80' }),
  host('prefix.example', {
    'prefix /foo/': 'n/a/80',
    'prefix /foo/bar': 'n/b/80',
    'prefix /aaa/bbb': 'n/c/80',
    'prefix /aaa': 'n/d/80',
  }),
  host('both.example', {
    'prefix /': 'n/a/80',
    'prefix /foo': 'n/b/80',
    'exact /foo': 'n/c/80',
    'prefix /Ünï': 'n/d/80',
  }),
  host('default.example', { 'exact /foo': 'n/a/80' }, { defaultBackend: 'n/d/80' }),
  host('*.wild.example', { 'prefix /': 'n/b/80' }),
  host('named.wild.example', { 'prefix /': 'n/a/80' }),
  host('text.example', {
    'prefix /': 'n/a/80',
    'text /wp-login': 'n/b/80',
    'prefix /wp-login/open': 'n/c/80',
    'prefix /both': 'n/c/80',
    'text /both': 'n/b/80',
    'anyCaseText /Any': 'n/d/80',
    'anyCasePrefix /case/x': 'n/d/80',
    'exact /anyone': 'n/c/80',
  }),
  host('lengths.example', {
    'prefix /': 'n/a/80',
    'text /l': 'n/b/80',
    'text /long': 'n/c/80',
    'text /longer': 'n/d/80',
  }),
  host('text-default.example', { 'text /t': 'n/b/80', 'exact /exact': 'n/c/80' }, { defaultBackend: 'n/d/80' }),
  host('empty.example', { 'prefix /none': 'n/none/80', 'prefix /unknown': 'n/unknown/80' }),
];

beforeAll(async () => {
  world = await World.create();
  const backends = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (who, index) => backend(`n/${who}/80`, await world.pod(who, index + 1))),
  );
  await world.plane.apply(table({ hosts, backends: [...backends, backend('n/none/80')] }));
});
afterAll(() => world.destroy());

describe('paths that are matched by their characters, as those of ingress-nginx', () => {
  it.each([
    ['lengths.example', '/lo', 'b'],
    ['lengths.example', '/longest', 'c'],
    ['lengths.example', '/longer/x', 'd'],
    ['lengths.example', '/other', 'a'],
    ['text.example', '/wp-login', 'b'],
    ['text.example', '/wp-login.php', 'b'],
    ['text.example', '/wp-login/x/y', 'b'],
    ['text.example', '/wp-logi', 'a'],
    ['text.example', '/WP-login', 'a'],
    ['text.example', '/x/wp-login', 'a'],
    ['text.example', '/wp-login/open', 'c'],
    ['text.example', '/wp-login/open/x', 'c'],
    ['text.example', '/wp-login/opener', 'b'],
    ['text.example', '/both', 'c'],
    ['text.example', '/both/x', 'c'],
    ['text.example', '/bothx', 'b'],
    ['text.example', '/any', 'd'],
    ['text.example', '/ANYthing/x', 'd'],
    ['text.example', '/anyone', 'c'],
    ['text.example', '/Anyone', 'd'],
    ['text.example', '/CASE/X', 'd'],
    ['text.example', '/case/X/y', 'd'],
    ['text.example', '/Case/xy', 'a'],
    ['text.example', '/case', 'a'],
    ['text-default.example', '/tx', 'b'],
    ['text-default.example', '/exact', 'c'],
    ['text-default.example', '/', 'd'],
    // nginx brings a path into its normal form before it is matched.
    ['text.example', '//wp-login.php', 'b'],
    ['text.example', '/./wp-login.php', 'b'],
    ['text.example', '/x/../wp-login.php', 'b'],
    ['text.example', '/%77p-login.php', 'b'],
    ['text.example', '/wp%2dlogin;x', 'b'],
    ['text.example', '/%41NY', 'd'],
    ['text.example', '/case%2Fx', 'd'],
  ])('%s%s', async (name, path, expected) => {
    expect(seen(await world.ask({ host: name, path })).who).toBe(expected);
  });
});

describe('Ingress v1', () => {
  it.each([
    ['exact.example', '/foo', 'a'],
    ['exact.example', '/foo/', 404],
    ['exact.example', '/FOO', 404],
    ['exact.example', '/bar', 404],
    ['exact.example', '/foo/bar', 404],
    ['exact.example', '/slash/', 'b'],
    ['exact.example', '/slash', 404],
    ['exact.example', '/foo?query=/bar', 'a'],
    ['prefix.example', '/foo', 'a'],
    ['prefix.example', '/foo/', 'a'],
    ['prefix.example', '/foo/baz', 'a'],
    ['prefix.example', '/foo/bar', 'b'],
    ['prefix.example', '/foo/bar/baz', 'b'],
    ['prefix.example', '/foo/barbaz', 'a'],
    ['prefix.example', '/foobar', 404],
    ['prefix.example', '/Foo', 404],
    ['prefix.example', '/aaa/bbb', 'c'],
    ['prefix.example', '/aaa/bbb/', 'c'],
    ['prefix.example', '/aaa/bbb/ccc', 'c'],
    ['prefix.example', '/aaa/ccc', 'd'],
    ['prefix.example', '/aaaccc', 404],
    ['prefix.example', '/', 404],
    ['both.example', '/foo', 'c'],
    ['both.example', '/foo/', 'b'],
    ['both.example', '/anything/else', 'a'],
    ['both.example', '/%C3%9Cn%C3%AF/x', 'd'],
    ['default.example', '/foo', 'a'],
    ['default.example', '/other', 'd'],
    ['default.example', '/', 'd'],
    ['x.wild.example', '/', 'b'],
    ['named.wild.example', '/', 'a'],
    ['x.y.wild.example', '/', 404],
    ['wild.example', '/', 404],
    ['unknown.example', '/', 404],
    ['EXACT.example', '/foo', 'a'],
    ['exact.example.', '/foo', 'a'],
    ['exact.example:80', '/foo', 'a'],
    ['Exact.Example.:8080', '/foo', 'a'],
    ['empty.example', '/none', 503],
    ['empty.example', '/unknown', 503],
    // nginx's own normalisation decides the route, as for its locations; the pod gets the original.
    ['prefix.example', '/foo//bar', 'b'],
    ['prefix.example', '/x/../foo/%62ar', 'b'],
    ['prefix.example', '/foo/./bar', 'b'],
    ['prefix.example', `/foo${'/x'.repeat(2000)}`, 'a'],
  ])('%s%s: %s', async (name, path, expected) => {
    const reply = await world.ask({ host: name, path });
    expect(typeof expected === 'number' ? reply.status : seen(reply)).toEqual(
      typeof expected === 'number' ? expected : expect.objectContaining({ who: expected, url: path }),
    );
  });

  it('serves any other host by the host without a name', async () => {
    const withAny = table({
      hosts: [...hosts, host('', { 'prefix /any': 'n/c/80' })],
      backends: [backend('n/c/80', { address: '10.77.1.3', port: 8000 })],
    });
    const before = await world.control('GET', '/v1/status');
    await world.plane.apply(withAny);
    expect(seen(await world.ask({ host: 'unknown.example', path: '/any' })).who).toBe('c');
    expect((await world.ask({ host: 'exact.example', path: '/any' })).status).toBe(404);
    expect((await world.ask({ host: 'wild.example', path: '/' })).status).toBe(404);
    expect((await world.control('GET', '/v1/status')).body).toMatchObject({ hosts: hosts.length + 1, backends: 1 });
    expect(before.body).toMatchObject({ hosts: hosts.length, backends: 5, reloads: 0 });
  });
});
