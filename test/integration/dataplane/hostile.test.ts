import { stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dataPlaneReasons } from '../../../src/planes/edge/nginx/reasons.ts';
import type { DataPlaneStatus, Endpoint, RoutingTable } from '../../../src/planes/edge/table.ts';
import { backend, eventually, host, seen, table, World } from './world.ts';

let world: World;
let a: Endpoint;
let b: Endpoint;
const control = host('control.example', { 'prefix /': 'n/control/80' });

beforeAll(async () => {
  world = await World.create({ zoneMiB: { hosts: 4, backends: 4, certificates: 4 } });
  [a, b] = await Promise.all([world.pod('a', 1), world.pod('b', 2)]);
});
afterEach(async () => {
  expect(await world.nginx.reloads()).toBe(0);
  const alarms = (await world.errorLog())
    .split('\n')
    .filter((line) => /\[(alert|emerg|crit)\]|attempt to|exited on/.test(line))
    // A user namespace has no supplementary groups to set; nginx says so and goes on.
    .filter((line) => !line.includes('initgroups(root'));
  expect(alarms).toEqual([]);
});
afterAll(() => world.destroy());

async function status(): Promise<DataPlaneStatus> {
  return (await world.control('GET', '/v1/status')).body as DataPlaneStatus;
}

const mark = 'add_header X-Injected 1 always;';
const payloads = [
  `;${mark}`,
  `}${mark}`,
  `{}${mark}`,
  `\n${mark}`,
  `\r${mark}`,
  `\r\nX-Injected: 1\r\n`,
  `";${mark}`,
  `';${mark}`,
  `x\\`,
  `x\\";${mark}`,
  `#\n${mark}`,
  '$host${x}$undefined',
  `x\0${mark}`,
  `\u2028${mark}`,
  `\u0085；${mark}`,
  'x'.repeat(4097),
  'x'.repeat(65_536),
  '../../etc/passwd',
  `GET${mark}`,
  `    ${mark}`,
  '(a+)+$',
  '(?<=',
  'http://x/#;',
  'unix:/run/nginx.sock',
  '\ud800',
  ']]==]}"]])',
  '%00%0a',
  '',
];

describe('hostile strings', () => {
  it('stay data, whatever field they are in, and the rest of the table serves', async () => {
    const honest = backend('n/control/80', a);
    for (const payload of payloads) {
      await world.plane.apply(
        table({
          hosts: [
            control,
            host(`h${payload}.example`, { [`prefix /p${payload}`]: 'n/control/80', 'exact /ok': 'n/control/80' }),
            host('paths.example', {
              [`exact /p${payload}`]: 'n/control/80',
              [`prefix ${payload}`]: 'n/control/80',
              [`prefix /k`]: `n/${payload}/80`,
              'exact /ok': 'n/control/80',
            }),
            host('more.example', {}, { defaultBackend: payload, certificate: payload }),
          ],
          backends: [
            honest,
            backend(`n/${payload}/80`, { address: payload, port: 80 }, { address: '10.0.0.1', port: 0.5 }),
            backend('n/mixed/80', { address: `10.77.1.1${payload}`, port: 8000 }, a),
          ],
          certificates: [
            { id: payload, chain: payload, key: payload },
            { id: 'text', chain: `-----BEGIN CERTIFICATE-----\n${payload}\n-----END CERTIFICATE-----`, key: payload },
          ],
        }),
      );
      for (const [name, path] of [
        ['control.example', '/'],
        ['paths.example', '/ok'],
        ['paths.example', `/p${encodeURIComponent(payload.toWellFormed()).slice(0, 6000)}`],
      ] as const) {
        const reply = await world.ask({ host: name, path });
        expect(reply.headers).not.toHaveProperty('x-injected');
        if (path !== '/' && path !== '/ok') continue;
        expect(seen(reply).who).toBe('a');
      }
    }
    const reasons = new Set(world.warnings.map(({ reason }) => reason));
    for (const reason of [
      'HostInvalid',
      'PathInvalid',
      'BackendKeyInvalid',
      'EndpointAddressInvalid',
      'EndpointPortInvalid',
      'CertificateIdInvalid',
      'CertificateUnreadable',
    ])
      expect([...reasons]).toContain(reason);
    for (const reason of reasons) expect(Object.keys(dataPlaneReasons)).toContain(reason);
  });

  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '169.254.169.254',
    '224.0.0.1',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::7f00:1',
    'fe80::1',
    'ff02::1',
  ])('never proxies to %s', async (address) => {
    world.warnings.length = 0;
    await world.plane.apply(table({ hosts: [control], backends: [backend('n/control/80', { address, port: 80 })] }));
    expect(world.warnings).toEqual([expect.objectContaining({ kind: 'endpoint', reason: 'EndpointAddressForbidden' })]);
    expect((await world.ask({ host: 'control.example' })).status).toBe(503);
  });

  it('in a request are answered by nginx or routed, and never echoed as a header', async () => {
    await world.plane.apply(table({ hosts: [control], backends: [backend('n/control/80', a)] }));
    for (const name of ['a b', '"', '$host', '{', ';', '..', '.', '*.example', 'x'.repeat(5000), '[::1]', '@', '%00']) {
      const reply = await world.ask({ host: name });
      expect([400, 404]).toContain(reply.status);
      expect(reply.headers).not.toHaveProperty('x-injected');
    }
    for (const path of [
      '/%0d%0aX-Injected:%201',
      '/%00',
      '//',
      `/${'a/'.repeat(4000)}`,
      '/%',
      '/?%0d%0aX-Injected:1',
    ]) {
      const reply = await world.ask({ host: 'control.example', path });
      expect([200, 400]).toContain(reply.status);
      expect(reply.headers).not.toHaveProperty('x-injected');
    }
  });
});

describe('the control channel', () => {
  it('is for its owner only', async () => {
    expect((await stat(world.nginx.controlSocket)).mode & 0o777).toBe(0o600);
  });

  it('is not reachable from the public listeners', async () => {
    expect((await world.ask({ host: 'nginx', path: '/v1/status' })).status).toBe(404);
  });

  it.each([
    ['GET', '/v1/nothing', 404, 'NoSuchCall', undefined],
    ['DELETE', '/v1/status', 404, 'NoSuchCall', undefined],
    ['POST', '/v1/transactions/99999999999999999999', 404, 'NoSuchCall', '{}'],
    ['POST', '/v1/transactions/7777777', 409, 'TransactionGone', '{}'],
    ['POST', '/v1/transactions/7777777/commit', 409, 'TransactionGone', '{}'],
    ['DELETE', '/v1/transactions/7777777', 409, 'TransactionGone', undefined],
    ['POST', '/v1/delta', 400, 'RequestMalformed', ''],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '[]'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', 'null'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '7'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '['.repeat(100_000)],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":-1}'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":1e400}'],
    ['POST', '/v1/delta', 409, 'GenerationMismatch', '{"instance":"x","generation":0}'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":0,"hosts":[1]}'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":0,"hosts":{"upsert":{"a":1}}}'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":0,"hosts":{"delete":[{}]}}'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":0,"hosts":{"upsert":[{"name":7}]}}'],
    [
      'POST',
      '/v1/delta',
      400,
      'RequestMalformed',
      '{"instance":"x","generation":0,"backends":{"upsert":[{"key":"n/s/1","endpoints":[{"address":"10.0.0.1","port":"80"}]}]}}',
    ],
    ['PUT', '/v1/draining', 400, 'RequestMalformed', '{"draining":"yes"}'],
    ['PUT', '/v1/health', 400, 'RequestMalformed', '{"policies":[{"policy":"a\\"b","healthy":true,"reason":"X"}]}'],
    ['PUT', '/v1/health', 400, 'RequestMalformed', '{"policies":[{"policy":"ab","healthy":true,"reason":"X\\r\\ny"}]}'],
    ['POST', '/v1/delta', 400, 'RequestMalformed', '{"instance":"x","generation":0,"pools":{}}'],
  ])('refuses %s %s (%#): %i %s', async (method, path, code, reason, body) => {
    const before = await status();
    const reply = await world.control(method, path, body);
    expect(reply).toMatchObject({ status: code, body: { reason } });
    expect((await status()).generation).toBe(before.generation);
  });

  it('refuses bodies beyond 8 MiB', async () => {
    const before = await status();
    // nginx may close the connection before it has read so much; whoever still writes then gets an error instead of the answer.
    const reply = await world.control('POST', '/v1/delta', Buffer.alloc(9 << 20, 32)).then(
      (answer) => answer.status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(reply);
    expect(await status()).toMatchObject({ instance: before.instance, generation: before.generation });
  });

  it('forgets what was staged and never committed, and lets the last to begin win', async () => {
    await world.plane.apply(table({ hosts: [control], backends: [backend('n/control/80', a)] }));
    const { instance, generation } = await status();
    const begin = async () => {
      const body = JSON.stringify({ instance, generation, replace: true });
      return ((await world.control('POST', '/v1/transactions', body)).body as { transaction: number }).transaction;
    };
    const staged = JSON.stringify({
      hosts: { upsert: [{ name: 'staged.example', paths: [] }], delete: ['control.example'] },
      backends: { upsert: [{ key: 'n/control/80', endpoints: [b] }] },
    });
    const first = await begin();
    expect((await world.control('POST', `/v1/transactions/${first}`, staged)).body).toEqual({ staged: 3 });
    expect(seen(await world.ask({ host: 'control.example' })).who).toBe('a');
    const second = await begin();
    expect((await world.control('POST', `/v1/transactions/${first}/commit`, '{}')).status).toBe(409);
    await world.control('POST', `/v1/transactions/${second}`, staged);
    expect((await world.control('DELETE', `/v1/transactions/${second}`)).body).toEqual({ generation });
    await world.plane.apply(
      table({ hosts: [control, host('new.example', {})], backends: [backend('n/control/80', a)] }),
    );
    expect(seen(await world.ask({ host: 'control.example' })).who).toBe('a');
    expect((await world.ask({ host: 'staged.example' })).status).toBe(404);
    expect(await status()).toMatchObject({ hosts: 2, backends: 1, certificates: 0 });
  });
});

describe('shared memory', () => {
  it('that is full refuses the change by the name of the zone; the table in force stays whole', async () => {
    const small = table({ hosts: [control], backends: [backend('n/control/80', a)] });
    await world.plane.apply(small);
    const before = await status();
    const many = Array.from({ length: 20_000 }, (_, n) => host(`h${n}.example`, { 'prefix /': 'n/control/80' }));
    world.warnings.length = 0;
    const tooMuch = world.plane.apply(table({ hosts: [control, ...many], backends: [backend('n/control/80', b)] }));
    await expect(tooMuch).rejects.toMatchObject({
      status: 507,
      reason: 'SharedMemoryFull',
      message: expect.stringContaining('tideline_hosts'),
    });
    // The change was not tried again, because nothing changed since.
    await world.plane.setDraining(true);
    await world.plane.setDraining(false);
    expect(world.warnings.filter(({ reason }) => reason === 'SharedMemoryFull')).toHaveLength(1);
    const after = await status();
    expect(after).toMatchObject({ hosts: 1, backends: 1 });
    expect(after.freeBytes.tideline_hosts).toBeGreaterThan((before.freeBytes.tideline_hosts ?? 0) * 0.9);
    expect((await world.ask({ host: 'h1.example' })).status).toBe(404);
    // One tenant's hosts do not hold up the endpoints of the others: neither the endpoints that came with the refused
    // table, nor later ones.
    const moved = async (who: string): Promise<void> => {
      await eventually(async () => seen(await world.ask({ host: 'control.example' })).who === who);
    };
    await moved('b');
    await world.plane.applyEndpoints([backend('n/control/80', a)]);
    expect(seen(await world.ask({ host: 'control.example' })).who).toBe('a');
    // A started nginx gets the table that was served before, since it cannot have the wanted one either.
    await world.nginx.kill();
    await world.startNginx();
    await eventually(async () => (await status()).hosts === 1);
    await moved('a');
    await world.plane.apply(
      table({ hosts: [control, host('fits.example', {})], backends: [backend('n/control/80', b)] }),
    );
    expect(seen(await world.ask({ host: 'control.example' })).who).toBe('b');
    expect(await status()).toMatchObject({ hosts: 2 });
  });
});

describe('any sequence of tables', () => {
  it('leaves nginx with exactly the last one', async () => {
    const names = ['one.example', 'two.example', '*.three.example', ''];
    const keys = ['n/a/80', 'n/b/80'];
    const anyTable: fc.Arbitrary<RoutingTable> = fc.record({
      hosts: fc.uniqueArray(
        fc.record({
          name: fc.constantFrom(...names),
          paths: fc.constantFrom(...keys).map((key) => [{ match: 'prefix' as const, path: '/', backend: key }]),
        }),
        { selector: ({ name }) => name },
      ),
      backends: fc.uniqueArray(
        fc.record({ key: fc.constantFrom(...keys), endpoints: fc.subarray([a, b], { maxLength: 1 }) }),
        { selector: ({ key }) => key },
      ),
      certificates: fc.constant([]),
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const expected = (wanted: RoutingTable, name: string): string | number => {
      const by = (n: string) => wanted.hosts.find((entry) => entry.name === n);
      const found = by(name) ?? (name === 'x.three.example' ? by('*.three.example') : undefined) ?? by('');
      if (found === undefined) return 404;
      const endpoints = wanted.backends.find(({ key }) => key === found.paths[0]?.backend)?.endpoints ?? [];
      return endpoints[0] === undefined ? 503 : endpoints[0] === a ? 'a' : 'b';
    };
    await fc.assert(
      fc.asyncProperty(anyTable, fc.boolean(), async (wanted, afresh) => {
        if (afresh) {
          await world.plane.stop();
          world.startDriver();
        }
        await world.plane.apply(wanted);
        const asked = ['one.example', 'two.example', 'x.three.example', 'other.example'];
        const replies = await Promise.all(asked.map((name) => world.ask({ host: name, agent })));
        expect(replies.map((reply) => (reply.status === 200 ? seen(reply).who : reply.status))).toEqual(
          asked.map((name) => expected(wanted, name)),
        );
        expect(await status()).toMatchObject({ hosts: wanted.hosts.length, backends: wanted.backends.length });
      }),
      { numRuns: 80 },
    );
    agent.destroy();
  });
});
