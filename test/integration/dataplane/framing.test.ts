import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { providerFields } from '../../../src/planes/edge/nginx/fields.ts';
import { promised } from '../../support/promised.ts';
import { backend, eventually, host, seen, table, vip, World } from './world.ts';

/** What pods and clients may say in HTTP's own framing and fields, and what must not pass from one to the other. */

let world: World;

/** Each is the answer of a pod of its own; `<name>.example` leads to it. */
const answers = {
  'early-hints': 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  processing: 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  continue: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  switched: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n\r\nbytes',
  headless: 'hello world\n',
  'two-lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello',
  'no-number': 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello',
  'same-lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
  'leading-zero': 'HTTP/1.1 200 OK\r\nContent-Length: 05\r\n\r\nhello',
  'chunked-too': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  trailers:
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  upgradeable:
    'HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nProxy-Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\nhello',
  'upgrade-required':
    'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello',
  'not-modified': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "1"\r\n\r\n',
} as const;
type Pod = keyof typeof answers;

beforeAll(async () => {
  world = await World.create();
  const hosts = [];
  const backends = [];
  for (const [index, [name, bytes]] of Object.entries(answers).entries()) {
    hosts.push(host(`${name}.example`, { 'prefix /': `n/${name}/80` }));
    const pod = await world.rawPod(10 + index, bytes, { close: name === 'headless' });
    backends.push(backend(`n/${name}/80`, pod));
  }
  const echo = await world.pod('echo', 1);
  hosts.push(host('echo.example', { 'prefix /': 'n/echo/80' }), host('*.wild.example', { 'prefix /': 'n/echo/80' }));
  backends.push(backend('n/echo/80', echo));
  await world.plane.apply(table({ hosts, backends }));
});
afterAll(() => world.destroy());

/** Sends bytes as they are; resolves with what came back before the connection ended. */
function send(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(80, vip, () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(10_000, () => socket.destroy(new Error(`still open after 10 s: ${JSON.stringify(answer)}`)));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask2(name: string): Promise<Answer> {
  const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false, secureContext: createSecureContext() });
  return new Promise<Answer>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({ ':path': '/', ':authority': name, 'x-from': 'test' });
    stream.setTimeout(5000, () => reject(new Error(`no answer of ${name} over HTTP/2 within 5 s`)));
    let [headers, body]: [IncomingHttpHeaders, string] = [{}, ''];
    stream.on('response', (got) => {
      headers = got;
    });
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      body += chunk;
    });
    stream.on('error', reject);
    stream.on('end', () => resolve({ status: Number(headers[':status']), headers, body }));
  }).finally(() => session.destroy());
}

const eventuallyLogged = async (path: string): Promise<string> => {
  let found: string | undefined;
  await eventually(async () => {
    found = (await world.accessLog()).split('\n').find((line) => line.includes(`"uri":"${path}"`));
    return found !== undefined;
  });
  return found ?? '';
};

const counted = async (reason: string): Promise<number> =>
  ((await world.control('GET', '/v1/status')).body as { answered: Record<string, number> }).answered[reason] ?? 0;

describe('an answer that nginx would take for another one', () => {
  it.each<readonly [Pod, string]>([
    ['early-hints', 'ResponseInterim'],
    ['processing', 'ResponseInterim'],
    ['continue', 'ResponseInterim'],
    ['switched', 'ResponseUpgradeUnasked'],
    ['two-lengths', 'ResponseLengthInvalid'],
    ['no-number', 'ResponseLengthInvalid'],
  ])('%s is a 502 at once, by name: %s', async (name, reason) => {
    const before = await counted(reason);
    const began = performance.now();
    const reply = await world.ask({ host: `${name}.example` });
    expect(reply.status).toBe(502);
    expect(reply.body).not.toContain('hello');
    expect(performance.now() - began).toBeLessThan(promised(2000));
    expect((await ask2(`${name}.example`)).status).toBe(502);
    expect(await counted(reason)).toBe(before + 2);
  });

  it('ends the connection behind a whole answer, and nothing of the pod follows it', async () => {
    for (const name of ['early-hints', 'two-lengths', 'no-number']) {
      const [head = '', body] = (await send(`GET / HTTP/1.1\r\nHost: ${name}.example\r\n\r\n`)).split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 502 /);
      expect(head).toMatch(/^Content-Length: 0$/im);
      expect(body).toBe('');
    }
  });

  it('without a status line is a 502 over HTTP/2, and over HTTP/1 the end of the connection', async () => {
    const before = await counted('ResponseNotHttp');
    expect((await ask2('headless.example')).status).toBe(502);
    expect(await send('GET / HTTP/1.1\r\nHost: headless.example\r\n\r\n')).toBe('');
    expect(await counted('ResponseNotHttp')).toBe(before + 2);
  });

  it('opens no tunnel for a client that asked for another protocol', async () => {
    const ask = 'GET / HTTP/1.1\r\nHost: switched.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
    expect(await send(ask)).toBe('');
  });

  it('is in the access log with its reason and the method of the client', async () => {
    await world.ask({ host: 'early-hints.example', path: '/logged' });
    const line = await eventuallyLogged('/logged');
    expect(JSON.parse(line)).toMatchObject({ method: 'GET', status: 502, reason: 'ResponseInterim' });
  });
});

describe('an answer that is only unusual', () => {
  it.each<Pod>(['same-lengths', 'leading-zero', 'chunked-too', 'trailers', 'upgradeable'])(
    '%s reaches the client over both versions',
    async (name) => {
      expect(await world.ask({ host: `${name}.example` })).toMatchObject({ status: 200, body: 'hello' });
      expect(await ask2(`${name}.example`)).toMatchObject({ status: 200, body: 'hello' });
    },
  );

  it('to HEAD and to a conditional request keeps its length', async () => {
    const head = await world.ask({ host: 'same-lengths.example', method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '5' } });
    expect((await world.ask({ host: 'not-modified.example' })).status).toBe(304);
  });

  it('brings no field of its connection into the one to the client', async () => {
    for (const reply of [await world.ask({ host: 'upgradeable.example' }), await ask2('upgradeable.example')])
      for (const name of ['upgrade', 'proxy-connection', 'keep-alive']) expect(reply.headers).not.toHaveProperty(name);
    expect((await world.ask({ host: 'trailers.example' })).headers).not.toHaveProperty('trailer');
  });

  it('says what to upgrade to where the client can', async () => {
    const required = 'upgrade-required.example';
    expect(await world.ask({ host: required })).toMatchObject({ status: 426, headers: { upgrade: 'websocket' } });
    const over2 = await ask2(required);
    expect(over2.status).toBe(426);
    expect(over2.headers).not.toHaveProperty('upgrade');
  });
});

describe('fields by which applications learn who asks', () => {
  it.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Method',
    'X-Forwarded-Uri',
    'X-Forwarded-Client-Cert',
    'X-Original-Forwarded-For',
    'X-Original-URI',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Scheme',
    'X-Client-IP',
    'True-Client-IP',
    'Front-End-Https',
    'X-Forwarded',
    'X-Forwarded-Protocol',
    'X-Url-Scheme',
    'X-Original-Forwarded-Host',
    'ssl-client-fingerprint',
    ...providerFields,
    'ssl-client-verify',
    'ssl-client-subject-dn',
    'Proxy',
  ])('do not pass from a client: %s', async (name) => {
    const { headers } = seen(
      await world.ask({ host: 'echo.example', headers: { [name]: 'forged', 'x-other': 'passes' } }),
    );
    expect(headers).toMatchObject({ 'x-other': 'passes' });
    expect(JSON.stringify(headers)).not.toContain('forged');
    // The same field with underscores is another one for nginx and the same one for CGI, WSGI and Rack.
    const underscored = seen(
      await world.ask({ host: 'echo.example', headers: { [name.replaceAll('-', '_')]: 'forged' } }),
    );
    if (name.includes('-')) expect(JSON.stringify(underscored.headers)).not.toContain('forged');
  });

  it('say the scheme that the client used', async () => {
    expect(seen(await world.ask({ host: 'echo.example' })).headers['x-scheme']).toBe('http');
    expect(seen(await world.askTls({ host: 'echo.example' })).headers['x-scheme']).toBe('https');
  });
});

describe('the name in a request', () => {
  it.each([`x"y`, 'x$y', 'x<y', "x'y", 'x\u00e9y', 'x%41'])(
    'stands for no wildcard with bytes that no host name has: %s',
    async (label) => {
      const answer = await send(`GET / HTTP/1.1\r\nHost: ${label}.wild.example\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    },
  );

  it.each(['-', '-a', 'a-', '_A-', 'x'.repeat(64), 'x'.repeat(1000)])(
    'stands for no wildcard as no label: %s',
    async (label) => {
      expect((await world.ask({ host: `${label}.wild.example` })).status).toBe(404);
    },
  );

  it.each(['echo.example:80@b.example', 'echo.example:9x', 'echo.example.:x', 'ECHO.example:80:80', 'echo.example:-1'])(
    'has nothing but a port behind its colon: %s',
    async (name) => {
      const answer = await send(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect((await ask2(name)).status).toBe(400);
    },
  );

  it.each(['echo.example:', 'echo.example:80', 'echo.example.:8080', 'ECHO.example'])(
    'may have a port: %s',
    async (name) => {
      expect((await world.ask({ host: name })).status).toBe(200);
    },
  );

  it.each(['a', 'x'.repeat(63), 'A-1', 'under_score'])('stands for a wildcard otherwise: %s', async (label) => {
    expect((await world.ask({ host: `${label}.wild.example` })).status).toBe(200);
  });
});

test('which nginx serves, and with which table, is said to programs of the blade only', async () => {
  const path = '/.well-known/tideline/blade';
  expect(await world.ask({ path })).toMatchObject({ status: 404 });
  expect(await world.askTls({ path })).toMatchObject({ status: 404 });
  const own = await world.askItself(path);
  expect(own.status).toBe(200);
  expect(JSON.parse(own.body)).toMatchObject({ instance: world.plane.status()?.instance });
});
