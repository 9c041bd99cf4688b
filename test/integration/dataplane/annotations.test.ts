import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import type { Host, RouteSettings } from '../../../src/planes/edge/table.ts';
import { backend, host, seen, table, vip, World } from './world.ts';

/** What nginx does with the settings that annotations give to routes. Clients come from 10.77.0.1. */

let world: World;
const hsts = 'max-age=31536000; includeSubDomains';

/** A host whose only route has these settings. */
function hostWith(name: string, settings: RouteSettings, backendKey = 'n/a/80', certificate?: string): Host {
  const more = certificate === undefined ? {} : { certificate };
  return {
    name,
    paths: [{ match: 'prefix', path: '/', backend: backendKey, settings: 0 }],
    settings: [settings],
    ...more,
  };
}

beforeAll(async () => {
  world = await World.create();
  const { certificate: chain, key } = selfSigned('tls.example', Date.now());
  await world.plane.apply(
    table({
      hosts: [
        hostWith('refused.example', { refused: 'AccessAnnotationUnsupported' }),
        hostWith('refused-tls.example', { refused: 'AccessAnnotationInvalid', https: { code: 308 }, hsts }),
        hostWith('allowed.example', { allow: ['10.77.0.0/24', '2001:db8::/32'] }),
        hostWith('allowed-host.example', { allow: ['10.77.0.1/32'] }),
        hostWith('not-allowed.example', { allow: ['10.77.0.128/25', '192.0.2.0/24'] }),
        hostWith('denied.example', { deny: ['0.0.0.0/0'] }),
        hostWith('denied-in-allowed.example', { allow: ['10.0.0.0/8'], deny: ['10.77.0.0/31'] }),
        hostWith('denied-others.example', { deny: ['10.77.0.2/31', '::/0'] }),
        hostWith('moved.example', { redirect: { code: 301, to: 'https://new.example$request_uri' } }),
        hostWith('moved-nowhere.example', { redirect: { code: 307, to: '$scheme://x.$host/' } }, 'n/none/80'),
        hostWith('tls.example', { https: { code: 308 }, hsts }, 'n/a/80', 'tls'),
        hostWith('tls-port.example', { https: { code: 301, port: 8443 } }),
        hostWith('', { https: { code: 308 } }),
        hostWith('root.example', { appRoot: '/app?x=1' }),
        hostWith('small.example', { maxBodyBytes: 1000 }),
        hostWith('impatient.example', { readSeconds: 1 }, 'n/slow/80'),
        host(
          'mixed.example',
          { 'prefix /': 'n/a/80' },
          {
            paths: [
              { match: 'prefix', path: '/open', backend: 'n/a/80' },
              { match: 'exact', path: '/closed', backend: 'n/a/80', settings: 1 },
            ],
            settings: [{ appRoot: '/app' }, { refused: 'AccessAnnotationUnsupported' }],
            defaultBackend: 'n/a/80',
            defaultSettings: 0,
          },
        ),
      ],
      backends: [
        backend('n/a/80', await world.pod('a', 1)),
        backend('n/slow/80', await world.silentPod(2)),
        backend('n/none/80'),
      ],
      certificates: [{ id: 'tls', chain, key }],
    }),
  );
});
afterAll(() => world.destroy());

describe('access', () => {
  it('answers 503 with the reason where access cannot be limited as asked, on HTTP and HTTPS', async () => {
    const reply = await world.ask({ host: 'refused.example', path: '/x' });
    expect(reply).toMatchObject({ status: 503, body: 'AccessAnnotationUnsupported\n' });
    expect(await world.askTls({ host: 'refused.example' })).toMatchObject({ status: 503 });
    expect(await world.ask({ host: 'refused-tls.example' })).toMatchObject({
      status: 503,
      body: 'AccessAnnotationInvalid\n',
    });
  });

  it.each([
    ['allowed.example', 200],
    ['allowed-host.example', 200],
    ['not-allowed.example', 403],
    ['denied.example', 403],
    ['denied-in-allowed.example', 403],
    ['denied-others.example', 200],
  ])('%s: %i for this client', async (name, status) => {
    expect((await world.ask({ host: name })).status).toBe(status);
    expect((await world.askTls({ host: name })).status).toBe(status);
    expect((await world.ask({ host: name, headers: { 'X-Forwarded-For': '10.77.0.200' } })).status).toBe(status);
  });

  it('keeps the next request of a connection apart from the body of one that was refused', async () => {
    const body = 'GET /smuggled HTTP/1.1\r\nHost: mixed.example\r\n\r\n';
    const answers = await raw(
      `POST / HTTP/1.1\r\nHost: refused.example\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
        'GET /open/second HTTP/1.1\r\nHost: mixed.example\r\nConnection: close\r\n\r\n',
    );
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200']);
    expect(answers).toContain('/open/second');
    expect(answers).not.toContain('smuggled');
  });

  it('keeps to the settings while the blade drains', async () => {
    await world.plane.setDraining(true);
    expect((await world.ask({ host: 'refused.example' })).status).toBe(503);
    expect((await world.ask({ host: 'denied.example' })).status).toBe(403);
    expect((await world.ask({ host: 'tls.example' })).status).toBe(308);
    const reply = await world.askTls({ host: 'tls.example', serverName: 'tls.example' });
    expect([reply.status, reply.headers['strict-transport-security']]).toEqual([200, hsts]);
    await world.plane.setDraining(false);
  });

  it('gives each path of a host its own settings', async () => {
    expect(seen(await world.ask({ host: 'mixed.example', path: '/open' })).who).toBe('a');
    expect((await world.ask({ host: 'mixed.example', path: '/closed' })).status).toBe(503);
    expect((await world.ask({ host: 'mixed.example', path: '/' })).headers.location).toBe('/app');
    expect(seen(await world.ask({ host: 'mixed.example', path: '/other' })).who).toBe('a');
  });
});

describe('redirects', () => {
  it.each([
    ['moved.example', '/a?b=c', 301, 'https://new.example/a?b=c'],
    ['moved.example', '/a%0d%0aX-Evil:%201', 301, 'https://new.example/a%0d%0aX-Evil:%201'],
    ['moved.example', '//evil.example/', 301, 'https://new.example//evil.example/'],
    ['moved-nowhere.example', '/', 307, 'http://x.moved-nowhere.example/'],
    ['root.example', '/', 302, '/app?x=1'],
    ['tls.example', '/a%2Fb?c', 308, 'https://tls.example/a%2Fb?c'],
    ['tls.example', '//evil.example/', 308, 'https://tls.example//evil.example/'],
    ['tls-port.example:80', '/', 301, 'https://tls-port.example:8443/'],
    ['any.example', '/x', 308, 'https://any.example/x'],
  ])('%s%s: %i %s', async (name, path, status, location) => {
    const reply = await world.ask({ host: name, path });
    expect([reply.status, reply.headers.location]).toEqual([status, location]);
    expect(reply.headers).not.toHaveProperty('x-evil');
    expect(reply.headers).not.toHaveProperty('strict-transport-security');
  });

  it('serves other paths than / of a host with an app root', async () => {
    expect(seen(await world.ask({ host: 'root.example', path: '/app' })).url).toBe('/app');
  });

  it('leaves challenges of ACME servers and the paths of the edge on plain HTTP', async () => {
    const challenge = '/.well-known/acme-challenge/token';
    expect(seen(await world.ask({ host: 'tls.example', path: challenge })).url).toBe(challenge);
    for (const path of [`${challenge}/../../../admin`, '/.well-known/acme-challenge/%2e%2e/%2e%2e/admin'])
      expect((await world.ask({ host: 'tls.example', path })).status).toBe(308);
    expect((await world.askItself('/.well-known/tideline/blade')).status).toBe(200);
    expect((await world.ask({ host: 'tls.example', path: '/.well-known/tideline/health/video' })).status).toBe(200);
  });

  it('does not redirect a request without a host to nowhere', async () => {
    expect(await raw('GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*HostMissing/);
  });
});

describe('HTTPS', () => {
  it('sends HSTS on HTTP/1.1 and HTTP/2, in place of what the pod says', async () => {
    const reply = await world.askTls({ host: 'tls.example', path: '/hsts', serverName: 'tls.example' });
    expect(reply.status).toBe(200);
    expect(reply.headers['strict-transport-security']).toBe(hsts);
    expect((await http2({ ':authority': 'tls.example', ':path': '/hsts' })).headers).toMatchObject({
      ':status': 200,
      'strict-transport-security': hsts,
    });
  });

  it('leaves the pod its own HSTS where the edge sends none', async () => {
    const reply = await world.askTls({ host: 'root.example', path: '/hsts' });
    expect(reply.headers['strict-transport-security']).toBe('max-age=1');
    expect((await world.askTls({ host: 'root.example', path: '/x' })).headers).not.toHaveProperty(
      'strict-transport-security',
    );
  });
});

describe('limits', () => {
  const chunked = { 'Transfer-Encoding': 'chunked' };

  it.each([
    [1000, 200],
    [1001, 413],
    [200_000, 413],
  ])('a body of %i bytes where 1000 are taken: %i', async (length, status) => {
    const body = 'x'.repeat(length);
    const request = { host: 'small.example', method: 'POST', body };
    expect((await world.ask({ ...request, headers: { 'Content-Length': String(length) } })).status).toBe(status);
    expect((await world.ask({ ...request, headers: chunked })).status).toBe(status);
    const known = { ':authority': 'small.example', ':method': 'POST', 'content-length': String(length) };
    expect((await http2(known, body)).headers[':status']).toBe(status);
    expect((await http2({ ':authority': 'small.example', ':method': 'POST' }, body)).headers[':status']).toBe(status);
  });

  it('a GET without a body is served, on HTTP/2 too', async () => {
    expect((await world.ask({ host: 'small.example' })).status).toBe(200);
    expect((await http2({ ':authority': 'small.example', ':path': '/' })).headers[':status']).toBe(200);
  });

  it('counts what the edge answers itself, by reason', async () => {
    const { answered } = (await world.control('GET', '/v1/status')).body as { answered: Record<string, number> };
    for (const reason of ['AccessAnnotationUnsupported', 'ClientDenied', 'HttpsRequired', 'Redirected', 'BodyTooLarge'])
      expect(answered[reason]).toBeGreaterThan(0);
  });

  it('a pod that is silent for longer than the route allows: 504', async () => {
    const started = performance.now();
    expect((await world.ask({ host: 'impatient.example', method: 'POST', body: 'x' })).status).toBe(504);
    expect(performance.now() - started).toBeGreaterThan(900);
  });
});

/** All that comes back for these bytes on one connection. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: vip, port: 80 });
    let answers = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answers += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answers));
    socket.write(text);
  });
}

function http2(
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<{ readonly headers: Readonly<Record<string, unknown>>; readonly body: string }> {
  const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false, servername: 'tls.example' });
  const reply = new Promise<{ headers: Readonly<Record<string, unknown>>; body: string }>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
    let [text, received] = ['', {} as Readonly<Record<string, unknown>>];
    stream.setEncoding('utf8');
    stream.on('response', (of) => {
      received = of;
    });
    stream.on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('end', () => resolve({ headers: received, body: text }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
  return reply.finally(() => session.destroy());
}
