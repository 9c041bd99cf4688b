import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { withoutUndefined } from '../../../src/model/values.ts';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { believedFields, providerFields } from '../../../src/planes/edge/nginx/fields.ts';
import { backend, type Seen, table, vip, World } from './world.ts';

/** Load balancers in front of the blade. Connections come from 10.77.0.1, which is a trusted one or not. */

let world: World | undefined;
afterEach(async () => {
  await world?.destroy();
  world = undefined;
});

async function start(trustedProxies: NginxSettings['trustedProxies']): Promise<World> {
  world = await World.create(withoutUndefined({ trustedProxies }));
  await world.plane.apply(
    table({
      hosts: [
        {
          name: 'www.example',
          paths: [
            { match: 'prefix', path: '/', backend: 'n/a/80' },
            { match: 'prefix', path: '/some', backend: 'n/a/80', settings: 0 },
            { match: 'prefix', path: '/secure', backend: 'n/a/80', settings: 1 },
            { match: 'prefix', path: '/own', backend: 'n/a/80', settings: 3 },
            { match: 'prefix', path: '/port', backend: 'n/a/80', settings: 2 },
          ],
          settings: [
            { allow: ['192.0.2.0/24', '2001:db8::/32'] },
            { https: { code: 308 } },
            { https: { code: 308, port: 8443 } },
            { allow: ['10.77.0.0/24', '192.0.2.0/24'] },
          ],
        },
      ],
      backends: [backend('n/a/80', await world.pod('a', 1))],
    }),
  );
  return world;
}

/** Sends one request on a connection that begins with `first`; the answer, and what the pod saw if it saw anything. */
function send(
  path: string,
  headers: readonly string[],
  first = '',
): Promise<{ readonly status: number; readonly location: string | undefined; readonly seen: Seen | undefined }> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: vip, port: 80 });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [, json] = /(\{"who".*\})/.exec(text) ?? [];
      const seen = json === undefined ? undefined : (JSON.parse(json) as Seen);
      const location = /^location: (.*)\r$/im.exec(text)?.[1];
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), location, seen });
    });
    const lines = [`GET ${path} HTTP/1.1`, 'Host: www.example', 'Connection: close', ...headers];
    socket.write(`${first}${lines.join('\r\n')}\r\n\r\n`);
  });
}

const forwarded = (client: string, proto = 'http') => [`X-Forwarded-For: ${client}`, `X-Forwarded-Proto: ${proto}`];

describe('forwarding headers of a trusted proxy', () => {
  it('name the client and its scheme; a client cannot name itself before the proxy', async () => {
    await start({ prefixes: ['10.77.0.0/24', '198.51.100.0/24'], via: 'forwardedHeaders' });
    expect((await send('/', forwarded('192.0.2.7', 'https'))).seen?.headers).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-real-ip': '192.0.2.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
    });
    const chain = await send('/', forwarded('203.0.113.9, 192.0.2.7, 198.51.100.3'));
    expect(chain.seen?.headers).toMatchObject({ 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'http' });
    expect((await send('/', ['X-Forwarded-Proto: javascript'])).seen?.headers['x-forwarded-proto']).toBe('http');
  });

  it('decide over access lists and the redirect to HTTPS', async () => {
    await start({ prefixes: ['10.77.0.0/24'], via: 'forwardedHeaders' });
    expect((await send('/some', forwarded('192.0.2.7'))).status).toBe(200);
    expect((await send('/some', forwarded('::ffff:192.0.2.7'))).status).toBe(200);
    expect((await send('/some', forwarded('2001:db8::7'))).status).toBe(200);
    expect((await send('/some', forwarded('203.0.113.9'))).status).toBe(403);
    expect((await send('/some', forwarded('192.0.2.7, 203.0.113.9'))).status).toBe(403);
    expect((await send('/some', [])).status).toBe(403);
    expect((await send('/secure', forwarded('192.0.2.7', 'https'))).status).toBe(200);
    expect((await send('/secure', forwarded('192.0.2.7', 'http'))).status).toBe(308);
  });

  it('send to the usual port of HTTPS, because the port of the blade is not the one that clients see', async () => {
    await start({ prefixes: ['10.77.0.0/24'], via: 'forwardedHeaders' });
    for (const headers of [forwarded('192.0.2.7'), []])
      expect(await send('/port', headers)).toMatchObject({ status: 308, location: 'https://www.example/port' });
  });

  it('of anybody else are worth nothing', async () => {
    await start({ prefixes: ['198.51.100.0/24'], via: 'forwardedHeaders' });
    expect((await send('/', forwarded('192.0.2.7', 'https'))).seen?.headers).toMatchObject({
      'x-forwarded-for': '10.77.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '80',
    });
    expect((await send('/some', forwarded('192.0.2.7'))).status).toBe(403);
    expect((await send('/secure', forwarded('192.0.2.7', 'https'))).status).toBe(308);
    expect((await send('/port', forwarded('192.0.2.7'))).location).toBe('https://www.example:8443/port');
  });
});

describe('a field in several lines, or a list', () => {
  const lines = (name: string, ...values: readonly string[]) => values.map((value) => `${name}: ${value}`);
  const proto = (...values: readonly string[]) => lines('X-Forwarded-Proto', ...values);

  it('counts by what a trusted proxy added last, whatever its client sent before', async () => {
    await start({ prefixes: ['10.77.0.0/24'], via: 'forwardedHeaders' });
    for (const [sent, scheme, port] of [
      [proto('https', 'http'), 'http', '80'],
      [proto('http', 'https'), 'https', '443'],
      [proto('https, http'), 'http', '80'],
      [proto('http,https '), 'https', '443'],
      [proto('https', 'javascript'), 'http', '80'],
      [proto('https', 'https, '), 'http', '80'],
      [proto('http', 'http', 'x, https'), 'https', '443'],
    ] as const) {
      const { seen } = await send('/', sent);
      expect(seen?.headers, sent.join()).toMatchObject({ 'x-forwarded-proto': scheme, 'x-forwarded-port': port });
      expect((await send('/secure', [...sent, ...lines('X-Forwarded-For', '192.0.2.7')])).status, sent.join()).toBe(
        scheme === 'https' ? 200 : 308,
      );
    }
    for (const sent of [
      ['203.0.113.9', '192.0.2.7'],
      ['203.0.113.9, 198.51.100.7', '192.0.2.7'],
      ['203.0.113.9, 192.0.2.7'],
    ]) {
      const named = lines('X-Forwarded-For', ...sent);
      expect((await send('/', named)).seen?.headers).toMatchObject({
        'x-forwarded-for': '192.0.2.7',
        'x-real-ip': '192.0.2.7',
      });
      expect((await send('/some', named)).status).toBe(200);
    }
    expect((await send('/some', lines('X-Forwarded-For', '192.0.2.7', '203.0.113.9'))).status).toBe(403);
    const provider = await send('/', lines('CF-Connecting-IP', '203.0.113.9', '192.0.2.7'));
    expect(provider.seen?.headers['cf-connecting-ip']).toBe('192.0.2.7');
  });

  it('counts so while the blade drains, and over HTTP/2', async () => {
    const { plane } = await start({ prefixes: ['10.77.0.0/24'], via: 'forwardedHeaders' });
    const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false });
    try {
      const headers = { 'x-forwarded-proto': ['https', 'http'], 'x-forwarded-for': ['203.0.113.9', '192.0.2.7'] };
      const answer = await text(session.request({ ':path': '/', ':authority': 'www.example', ...headers }));
      expect((JSON.parse(answer) as Seen).headers).toMatchObject({
        'x-forwarded-proto': 'http',
        'x-forwarded-for': '192.0.2.7',
      });
    } finally {
      session.destroy();
    }
    await plane.setDraining(true);
    expect((await send('/', proto('https', 'http'))).seen?.headers['x-forwarded-proto']).toBe('http');
  });

  it('counts for nothing from anybody else, in any field and however often', async () => {
    const fields = ['X-Real-IP', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Request-ID', 'X-Scheme'];
    const lies = [...fields, 'X-Forwarded-Proto', ...believedFields, ...providerFields]
      .filter((name) => !['Proxy-Connection', 'HTTP2-Settings', 'Trailer'].includes(name))
      .flatMap((name) => lines(name, 'lie-1', 'lie-2'));
    for (const trusted of [undefined, { prefixes: ['198.51.100.0/24'], via: 'forwardedHeaders' }] as const) {
      await start(trusted);
      // nginx takes 128 fields of one request.
      for (const some of [lies.slice(0, 60), lies.slice(60)]) {
        const { seen } = await send('/', some);
        expect(Object.entries(seen?.headers ?? {}).filter(([, value]) => String(value).includes('lie'))).toEqual([]);
        expect(seen?.headers).toMatchObject({
          'x-forwarded-for': '10.77.0.1',
          'x-real-ip': '10.77.0.1',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': 'www.example',
          'x-forwarded-port': '80',
        });
      }
      await world?.destroy();
      world = undefined;
    }
  });
});

describe('what a trusted proxy says', () => {
  it('makes nobody a member of an allow list when it is no address', async () => {
    await start({ prefixes: ['192.0.2.0/24', '10.77.0.0/24'], via: 'forwardedHeaders' });
    for (const name of ['192.0.2.7, evil', '"192.0.2.7"', '_hidden', 'unknown'])
      expect((await send('/own', forwarded(name))).status, name).toBe(403);
    expect((await send('/own', forwarded('192.0.2.7'))).status).toBe(200);
    expect((await send('/own', forwarded('203.0.113.9'))).status).toBe(403);
    expect((await send('/own', [])).status).toBe(200);
  });

  it('in the fields of a provider passes; of anybody else it does not, nor by the PROXY protocol', async () => {
    const said = async (prefix: string, via: 'forwardedHeaders' | 'proxyProtocol', first = '') => {
      await start({ prefixes: [prefix], via });
      const { seen } = await send('/', ['CF-Connecting-IP: 192.0.2.7', 'Fastly-Client-IP: 192.0.2.8'], first);
      await world?.destroy();
      return [seen?.headers['cf-connecting-ip'], seen?.headers['fastly-client-ip']];
    };
    expect(await said('10.77.0.0/24', 'forwardedHeaders')).toEqual(['192.0.2.7', '192.0.2.8']);
    expect(await said('198.51.100.0/24', 'forwardedHeaders')).toEqual([undefined, undefined]);
    const first = `PROXY TCP4 192.0.2.7 ${vip} 40000 80\r\n`;
    expect(await said('10.77.0.0/24', 'proxyProtocol', first)).toEqual([undefined, undefined]);
  });
});

describe('the PROXY protocol', () => {
  const line = (client: string, port = 80) => `PROXY TCP4 ${client} ${vip} 40000 ${port}\r\n`;

  it('of a trusted proxy names the client and its scheme; headers count for nothing', async () => {
    await start({ prefixes: ['10.77.0.0/24'], via: 'proxyProtocol' });
    expect((await send('/', forwarded('203.0.113.9', 'https'), line('192.0.2.7'))).seen?.headers).toMatchObject({
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-proto': 'http',
    });
    expect((await send('/', [], line('192.0.2.7', 443))).seen?.headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
    });
    expect((await send('/some', [], line('192.0.2.7'))).status).toBe(200);
    expect((await send('/some', [], line('203.0.113.9'))).status).toBe(403);
    expect((await send('/port', [], line('192.0.2.7'))).location).toBe('https://www.example/port');
    expect((await send('/', [])).status).toBe(0);
  });

  it('of anybody else is read and not believed', async () => {
    await start({ prefixes: ['198.51.100.0/24'], via: 'proxyProtocol' });
    expect((await send('/', [], line('192.0.2.7', 443))).seen?.headers).toMatchObject({
      'x-forwarded-for': '10.77.0.1',
      'x-forwarded-proto': 'http',
    });
    expect((await send('/some', [], line('192.0.2.7'))).status).toBe(403);
  });

  it('is spoken by the probe of the agent', async () => {
    const { network, plane } = await start({ prefixes: ['198.51.100.0/24'], via: 'proxyProtocol' });
    // nginx answers the probe of its own host only, so it is sent from there.
    const probe = async (proxyProtocol: boolean): Promise<string> => {
      const file = new URL('../../../src/planes/edge/vips/probe.ts', import.meta.url).href;
      const call = `httpProbe({ timeoutMs: 5000, proxyProtocol: ${proxyProtocol} })({ family: 4, text: '${vip}' }, 80)`;
      const script = `import { httpProbe } from '${file}'; console.log(await ${call});`;
      return (await network.exec('edge', process.execPath, '--input-type=module', '-e', script)).trim();
    };
    expect(await probe(true)).toBe(plane.status()?.instance);
    expect(await probe(false)).toBe('undefined');
  });
});
