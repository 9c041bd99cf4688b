import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backend, host, table, vip, World } from './world.ts';

/** What a pod sends in pieces reaches the client in those pieces, the head first. None of these pods ends its answer. */

let world: World;
const heads = {
  events: 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
  length: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  'until-close': 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n',
  unbuffered: 'HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\nContent-Length: 5\r\n\r\n',
} as const;
const started = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n';

beforeAll(async () => {
  world = await World.create();
  const pods = { ...heads, started };
  const hosts = Object.keys(pods).map((name) => host(`${name}.example`, { 'prefix /': `n/${name}/80` }));
  const backends = [];
  for (const [index, [name, bytes]] of Object.entries(pods).entries())
    backends.push(backend(`n/${name}/80`, await world.rawPod(10 + index, bytes)));
  await world.plane.apply(table({ hosts, backends }));
});
afterAll(() => world.destroy());

/** What came over HTTP/1.1 up to and with this text. */
function read(name: string, until: string, tls: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const ask = () => socket.write(`GET / HTTP/1.1\r\nHost: ${name}.example\r\n\r\n`);
    const secure = { host: vip, port: 443, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
    const socket = tls ? connectTls(secure, ask) : connect(80, vip, ask);
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(5000, () => socket.destroy(new Error(`nothing more for 5 s behind ${JSON.stringify(answer)}`)));
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (!answer.includes(until)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** The first piece of a body over HTTP/2. */
function piece2(name: string): Promise<string> {
  const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false, secureContext: createSecureContext() });
  return new Promise<string>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({ ':path': '/', ':authority': `${name}.example` });
    stream.setTimeout(5000, () => reject(new Error('no piece within 5 s')));
    stream.setEncoding('latin1');
    stream.on('data', resolve);
    stream.on('error', reject);
  }).finally(() => session.destroy());
}

describe('the head of an answer goes to a client of HTTP/1 before any byte of its body is there', () => {
  it.each(Object.keys(heads))('%s', async (name) => {
    for (const tls of [false, true]) expect(await read(name, '\r\n\r\n', tls)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

it('the first piece of a body goes to the client before there is another', async () => {
  for (const tls of [false, true]) expect(await read('started', 'first', tls)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await piece2('started')).toBe('first');
});

it('the head of an answer over HTTP/2 waits for its body, or for any frame that nginx sends on its own (decision 70)', async () => {
  const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false, secureContext: createSecureContext() });
  try {
    const ask = (name: string) => {
      const stream = session.request({ ':path': '/', ':authority': `${name}.example` });
      stream.on('error', () => undefined);
      return {
        stream,
        head: new Promise<number>((resolve) => stream.on('response', (got) => resolve(Number(got[':status'])))),
      };
    };
    const waits = ask('events');
    const other = ask('started');
    // The head of the first answer comes with the body of the second at the latest: both are in one buffer of TLS.
    expect(await other.head).toBe(200);
    expect(await waits.head).toBe(200);
    const alone = ask('length');
    const late = await Promise.race([alone.head, sleep(1000, 'nothing within a second')]);
    expect(late).toBe('nothing within a second');
    session.ping(() => undefined);
    expect(await alone.head).toBe(200);
  } finally {
    session.destroy();
  }
});
