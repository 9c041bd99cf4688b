import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import { Name } from '../../../src/model/spec/fields.ts';
import { checkAddress } from '../../../src/planes/edge/compile/address.ts';
import { annotationPrefix, knownAnnotations } from '../../../src/planes/edge/compile/annotations/known.ts';
import { readLists } from '../../../src/planes/edge/compile/annotations/lists.ts';
import { readAnnotations } from '../../../src/planes/edge/compile/annotations/read.ts';
import { defaultPoolSettings, SettingsOfRoutes } from '../../../src/planes/edge/compile/annotations/settings.ts';
import { guardSettings } from '../../../src/planes/edge/compile/guards.ts';
import { isHost, isLabel, pathFault } from '../../../src/planes/edge/compile/names.ts';
import { edgeReasons } from '../../../src/planes/edge/reasons.ts';
import {
  type Backend,
  type DataPlaneStatus,
  type Endpoint,
  type Host,
  noBackend,
  type RouteSettings,
} from '../../../src/planes/edge/table.ts';
import { endpointRows, textRows } from '../../support/data-plane-tables.ts';
import { World } from './world.ts';

/** `validate.lua` in a real nginx, held to the rules of the compile step by the same tables and by chance. */

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.destroy());

interface Refused {
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
}

/** What nginx leaves out of these hosts and backends. */
async function refusedOf(change: {
  readonly hosts?: readonly Host[];
  readonly backends?: readonly Backend[];
}): Promise<readonly Refused[]> {
  const { instance, generation } = (await world.control('GET', '/v1/status')).body as DataPlaneStatus;
  const { hosts = [], backends = [] } = change;
  const body = { instance, generation, hosts: { upsert: hosts }, backends: { upsert: backends } };
  const reply = await world.control('POST', '/v1/delta', JSON.stringify(body));
  expect(reply).toMatchObject({ status: 200, body: { generation: generation + 1 } });
  return (reply.body as { readonly refused?: readonly Refused[] }).refused ?? [];
}

/** nginx's verdict on each address. Each has a backend of its own, so that it is known which one is refused. */
async function verdictsOf(addresses: readonly string[]): Promise<readonly string[]> {
  const backends = addresses.map((address, index) => ({ key: `n/s/${index}`, endpoints: [{ address, port: 80 }] }));
  const refused = await refusedOf({ backends });
  const reasons = new Map(refused.map(({ name, reason }) => [name.slice(0, name.indexOf(' ')), reason]));
  return backends.map(({ key }) => reasons.get(key) ?? 'accepted');
}

test('nginx takes and refuses the addresses of the table, for the same reasons as compile', async () => {
  const rows = endpointRows();
  const verdicts = await verdictsOf(rows.map(({ address }) => address));
  expect(rows.map(({ address }, index) => `${address} ${verdicts[index]}`)).toEqual(
    rows.map(({ address, verdict }) => `${address} ${verdict}`),
  );
});

test('nginx and compile agree on every address near the border of a class, and on any other', async () => {
  const edges = endpointRows().flatMap(({ address }) => parseAddress(address) ?? []);
  const near = edges.flatMap(({ text, family }) =>
    [-65_536, -256, -1, 1, 256, 65_536].map((step) => textOf(numberOf(text) + BigInt(step), family)),
  );
  const anywhere = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => textOf(value, 4)),
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => textOf(value, 6)),
    // The first two groups decide, so addresses with any value of these are tried.
    fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => textOf(value << 96n, 6)),
    fc.ipV4(),
    fc.ipV6(),
  );
  const addresses = [...near, ...fc.sample(anywhere, 4000)];
  const canonical = [...new Set(addresses.flatMap((text) => parseAddress(text)?.text ?? []))];
  expect(canonical.length).toBeGreaterThan(3000);
  const verdicts = await verdictsOf(canonical);
  const differences = canonical.flatMap((text, index) => {
    const checked = checkAddress(text);
    const wanted = checked.ok ? 'accepted' : checked.reason;
    return verdicts[index] === wanted ? [] : [`${text}: compile says ${wanted}, nginx ${verdicts[index]}`];
  });
  expect(differences).toEqual([]);
});

const endpoint: Endpoint = { address: '10.0.0.1', port: 80 };
const hostOf = (name: string, ...paths: readonly string[]): Host => ({
  name,
  paths: paths.map((path) => ({ match: 'prefix', path, backend: 'n/s/80' })),
});

test('nginx takes and refuses the hosts and paths of the tables; what compile takes it takes', async () => {
  const [hosts, paths] = [textRows('hosts.txt'), textRows('paths.txt')];
  for (const { text, compile, dataPlane } of [...hosts, ...paths])
    expect({ text, ok: dataPlane || !compile }).toEqual({ text, ok: true });
  const refused = await refusedOf({
    hosts: [...hosts.map(({ text }) => hostOf(text)), hostOf('p.example', ...paths.map(({ text }) => text))],
  });
  const shown = (text: string): string =>
    Buffer.from(text)
      .toString('latin1')
      .replace(/[^!-~ ]/g, '?');
  const of = (kind: string): readonly string[] =>
    refused.filter((entry) => entry.kind === kind).map(({ name }) => name);
  const expected = (rows: typeof hosts): readonly string[] =>
    rows.filter(({ dataPlane }) => !dataPlane).map(({ text }) => shown(text));
  expect(of('host').toSorted()).toEqual(expected(hosts).toSorted());
  expect(of('path')).toEqual(expected(paths).map((text) => `p.example ${text}`));
});

const label = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-'), minLength: 1, maxLength: 63 }).filter(isLabel),
  fc.constantFrom('a'.repeat(63), '0', 'a--b'),
);
const numRuns = 300;

test('whatever compile takes for a host, a path or a backend nginx takes', async () => {
  const labels = fc.array(label, { minLength: 1, maxLength: 6 });
  const name = fc.tuple(fc.constantFrom('', '*.'), labels).map(([star, parts]) => star + parts.join('.'));
  // fast-check's own unit of any character takes ten seconds to make.
  const character = fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0, max: 0x10ffff }));
  const path = fc.array(character, { maxLength: 60 }).map((codes) => `/${String.fromCodePoint(...codes)}`);
  const key = fc.tuple(label, label, fc.oneof(fc.integer({ min: 1, max: 65_535 }).map(String), label));
  const longest = [`/${'a'.repeat(4095)}`, `/${'é'.repeat(2047)}`, `/${'日'.repeat(1365)}`];
  const paths = [...fc.sample(path, numRuns), ...longest].filter((text) => pathFault(text) === undefined);
  const hosts = [...fc.sample(name, numRuns), `${'a.'.repeat(126)}a`].filter(isHost);
  const keys = fc.sample(key, numRuns).filter(([namespace, service]) => isLabel(namespace) && isLabel(service));
  expect(Math.min(paths.length, hosts.length, keys.length)).toBeGreaterThan(numRuns / 2);
  const refused = await refusedOf({
    hosts: [...hosts.map((text) => hostOf(text)), hostOf('p.example', ...paths)],
    backends: keys.map((parts) => ({ key: parts.join('/'), endpoints: [endpoint, { ...endpoint, port: 65_535 }] })),
  });
  expect(refused).toEqual([]);
});

test('whatever the spec takes for the name of a policy, and every reason of the edge, is taken as health', async () => {
  const names = fc.sample(label, numRuns).filter((text) => Name.safeParse(text).success);
  expect(names.length).toBeGreaterThan(numRuns / 2);
  const reasons = Object.keys(edgeReasons);
  const policies = [
    ...names.map((policy) => ({ policy, healthy: true, reason: 'BackendsServing' })),
    ...reasons.map((reason, index) => ({ policy: `reason-${index}`, healthy: false, reason })),
  ];
  expect((await world.control('PUT', '/v1/health', JSON.stringify({ policies }))).status).toBe(200);
});

test.each([
  ['an unknown setting', { allowCountries: ['FR'] }],
  ['a list that is no list', { allow: '10.0.0.0/8' }],
  ['an empty list', { allow: [] }],
  ['a prefix that is none', { deny: ['10.0.0.0/33'] }],
  ['a Location with a line end', { redirect: { code: 301, to: 'https://a.example/\r\nX: y' } }],
  ['a Location of another kind', { redirect: { code: 301, to: 'javascript:x' } }],
  ['another status', { redirect: { code: 200, to: 'https://a.example' } }],
  ['an app root that is a host', { appRoot: '//evil.example' }],
  ['an HSTS with a line end', { hsts: 'max-age=1\r\nX: y' }],
  ['a timeout that is none', { readSeconds: 0.5 }],
])('%s refuses the route, and nginx says so', async (_, settings) => {
  const paths = [{ match: 'prefix' as const, path: '/', backend: 'n/s/80', settings: 0 }];
  const odd = { name: 'odd.example', paths, settings: [settings as RouteSettings] };
  expect(await refusedOf({ hosts: [odd] })).toEqual([
    { kind: 'settings', name: 'odd.example', reason: 'SettingsInvalid' },
  ]);
  expect(await world.ask({ host: 'odd.example' })).toMatchObject({ status: 503, body: 'SettingsInvalid\n' });
});

test('a path that is only refused needs no backend, and what is below it does not fall to a broader one', async () => {
  const paths = [
    { match: 'prefix' as const, path: '/', backend: 'n/s/80' },
    { match: 'prefix' as const, path: '/admin', backend: noBackend, settings: 0 },
  ];
  expect(await refusedOf({ hosts: [{ name: 'guarded.example', paths, settings: [guardSettings] }] })).toEqual([]);
  for (const path of ['/admin', '/admin/', '/admin/x/y'])
    expect(await world.ask({ host: 'guarded.example', path })).toMatchObject({
      status: 503,
      body: 'AccessPathRefused\n',
    });
  expect((await world.ask({ host: 'guarded.example', path: '/adminx' })).body).not.toContain('AccessPathRefused');
});

function numberOf(address: string): bigint {
  const parts = address.includes(':')
    ? groupsOf(address).map((part) => [part, 16] as const)
    : address.split('.').map((part) => [BigInt(part), 8] as const);
  return parts.reduce((sum, [part, bits]) => (sum << BigInt(bits)) | part, 0n);
}

function groupsOf(address: string): readonly bigint[] {
  const [head = '', tail] = address.split('::');
  const read = (text: string): readonly bigint[] =>
    text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
  const [first, last] = [read(head), read(tail ?? '')];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0n), ...last];
}

/** Values beyond the family's range wrap around. */
function textOf(value: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => BigInt.asUintN(8, value >> shift)).join('.');
  return Array.from({ length: 8 }, (_, index) =>
    BigInt.asUintN(16, value >> BigInt(112 - 16 * index)).toString(16),
  ).join(':');
}

/** fast-check's own unit of any character takes ten seconds to make. */
const anyCharacter = fc.integer({ min: 0, max: 0x2fff }).map((code) => String.fromCodePoint(code));

test('nginx takes whatever settings compile makes of annotations', async () => {
  const url = fc.tuple(
    fc.constantFrom('https://a.example', '$scheme://$host', 'http://[2001:db8::1]:8080'),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom(
      'true',
      'false',
      '0',
      '1',
      '75',
      '86400',
      '9999999999',
      '8m',
      '64m',
      '0k',
      '301',
      '308',
      '/',
      '/a?b=$c',
      '/app',
      '/login#x',
      '5',
      '60',
    ),
    fc.constantFrom('0.0.0.0/0', '::/0,10.1.2.3/9', '192.0.2.1, 2001:DB8::1', '::ffff:1.2.3.4', '64:ff9b::/96'),
    url.map(([origin, rest]) => `${origin}/${rest}`),
    url.map(([origin]) => `${origin}$request_uri`),
    fc.string({ unit: anyCharacter }),
  );
  const names = Object.keys(knownAnnotations).filter((name) => knownAnnotations[name]?.fate === 'implemented');
  const annotations = fc.dictionary(
    fc.constantFrom(...names).map((name) => `${annotationPrefix}${name}`),
    value,
  );
  const settingsOf = new SettingsOfRoutes(defaultPoolSettings());
  const all = fc.sample(annotations, 2500).flatMap((some) => {
    const settings = settingsOf.of(readLists(readAnnotations('Ingress/n/i', some)), { tls: true, certificate: true });
    return settings === undefined ? [] : [settings];
  });
  expect(all.length).toBeGreaterThan(500);
  expect(new Set(all.flatMap((settings) => Object.keys(settings))).size).toBeGreaterThan(10);
  const hosts = all.map((settings, index) => ({ name: `h${index}.example`, paths: [], settings: [settings] }));
  expect(await refusedOf({ hosts })).toEqual([]);
});
