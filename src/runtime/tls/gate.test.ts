import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../test/support/authority.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { type TlsFolder, tlsFolder } from '../../../test/support/tls-files.ts';
import { parsePrefix } from '../../model/address.ts';
import { systemClock } from '../clock.ts';
import { serveAgentEndpoint } from '../endpoint.ts';
import type { HttpEndpoint } from '../http.ts';
import { silentLog } from '../log.ts';
import { createRegistry } from '../metrics.ts';
import { budgets, type Door } from '../visitors.ts';
import { TlsCredentials } from './credentials.ts';

/** A blade at 127.0.0.11 whose pool has another one, and which is not alone in the platform. */
const door: Door = {
  peers: [],
  networks: [parsePrefix('127.0.0.0/24')!],
  gates: {
    own: [
      { name: 'paris-blade-1', address: '127.0.0.11' },
      { name: 'paris-blade-2', address: '127.0.0.12' },
    ],
    foreign: [{ name: 'lyon-blade-1', address: '127.0.0.21' }],
  },
};
const authority = createAuthority('the platform');
const certificates = {
  peer: authority.issue({ commonName: 'a blade', hosts: ['paris-blade-2'] }),
  operator: authority.issue({ commonName: 'an operator', hosts: ['operator.example'] }),
  foreign: authority.issue({ commonName: 'a blade', hosts: ['lyon-blade-1'] }),
  foreignByAddress: authority.issue({ commonName: 'a blade', hosts: ['127.0.0.21'] }),
  ended: authority.issue({ commonName: 'an operator', hosts: ['operator.example'], validSeconds: -1 }),
  stranger: createAuthority('the platform').issue({ commonName: 'a blade', hosts: ['paris-blade-2'] }),
};

let folder: TlsFolder;
let endpoint: HttpEndpoint;
let credentials: TlsCredentials;
let port: number;
const sockets: Socket[] = [];

async function serve(grace = false, clock = systemClock): Promise<void> {
  credentials = new TlsCredentials({ files: folder.files, clock: systemClock, log: silentLog });
  await credentials.start();
  endpoint = await serveAgentEndpoint({
    host: '127.0.0.11',
    port: 0,
    registry: createRegistry('test'),
    status: () => ({ secret: 'the status' }),
    door: () => door,
    tls: { credentials, grace },
    names: [],
    clock,
    log: silentLog,
  });
  port = Number(new URL(endpoint.url).port);
}

beforeEach(() => {
  folder = tlsFolder(authority, { commonName: 'a blade', hosts: ['paris-blade-1', '127.0.0.11'] });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  credentials.stop();
  await endpoint.stop();
  folder.remove();
});

interface Visitor {
  readonly certificate?: { readonly certificate: string; readonly key: string };
  readonly path?: string;
  readonly options?: object;
}

/** What comes back until the connection ends. */
async function listen(socket: Socket): Promise<string> {
  sockets.push(socket);
  let answer = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  await once(socket, 'close').catch(() => undefined);
  return answer;
}

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.11\r\n\r\n`;

function openTls({ certificate, options = {} }: Visitor): TLSSocket {
  const own = certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key };
  const from = { localAddress: '127.0.0.66', checkServerIdentity: () => undefined };
  return connect({ host: '127.0.0.11', port, ca: authority.certificate, ...from, ...own, ...options });
}

function ask(visitor: Visitor): Promise<string> {
  const socket = openTls(visitor);
  socket.write(request(visitor.path ?? '/status'));
  return listen(socket);
}

function askPlainly(text = request('/status')): Promise<string> {
  const socket = connectTcp({ host: '127.0.0.11', port, localAddress: '127.0.0.66' });
  socket.write(text);
  return listen(socket);
}

const metrics = (): Promise<string> => ask({ certificate: certificates.operator, path: '/metrics' });

describe('who has a certificate of the CA', () => {
  beforeEach(() => serve());

  it.each(['peer', 'operator'] as const)('is answered: %s', async (name) => {
    const answer = await ask({ certificate: certificates[name] });
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*the status/);
  });

  it.each([
    ['a blade of another pool, by its name', certificates.foreign, 'ForeignServer'],
    ['a blade of another pool, by its address', certificates.foreignByAddress, 'ForeignServer'],
    ['an operator whose certificate has ended', certificates.ended, 'CertificateRefused'],
    ['a blade by the word of another CA of the same name', certificates.stranger, 'CertificateRefused'],
    ['nobody', undefined, 'CertificateRequired'],
  ])('%s is told no more than why not', async (_, certificate, reason) => {
    for (const path of ['/status', '/metrics', '/healthz', '/livez', '/vips', '/history']) {
      const answer = await ask({ path, ...(certificate === undefined ? {} : { certificate }) });
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 403 Forbidden\r\n[^]*\r\n\r\n${reason}\n$`));
    }
    expect(await metrics()).toContain(`tideline_endpoint_refused_total{reason="${reason}",component="test"} 6`);
  });

  it('and by TLS 1.2, by which nobody renegotiates', async () => {
    const socket = openTls({ certificate: certificates.operator, options: { maxVersion: 'TLSv1.2' } });
    sockets.push(socket);
    await once(socket, 'secureConnect');
    expect(socket.getProtocol()).toBe('TLSv1.2');
    const refused = new Promise<string>((resolve) => {
      socket.on('error', ({ message }) => resolve(message));
      socket.renegotiate({}, (error) => resolve(error?.message ?? 'renegotiated'));
    });
    expect(await refused).toMatch(/no.renegotiation/i);
  });

  it('and does not resume a session, whose certificate may have ended since', async () => {
    const first = openTls({ certificate: certificates.operator });
    let session: Buffer | undefined;
    first.on('session', (given: Buffer) => {
      session = given;
    });
    first.write(request('/livez'));
    expect(await listen(first)).toContain('200 OK');
    const second = openTls({ options: { session } });
    second.write(request('/livez'));
    expect(await listen(second)).toContain('CertificateRequired');
  });
});

it('more handshakes in a second than questions may be asked are not made', async () => {
  // It is always the same second.
  await serve(false, { ...systemClock, monotonic: () => 5000 });
  const visit = (): Promise<string> => ask({ certificate: certificates.peer, path: '/livez' });
  const answers: string[] = [];
  for (let asked = 0; asked <= budgets.own.answersPerSecond; asked++) answers.push(await visit());
  expect(answers.filter((answer) => answer.includes('200 OK'))).toHaveLength(budgets.own.answersPerSecond);
  expect(answers.at(-1)).toBe('');
});

describe('who has none', () => {
  it('and speaks no TLS is told that it needs one', async () => {
    await serve();
    expect(await askPlainly()).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[^]*\r\n\r\nTlsRequired\n$/);
    expect(await askPlainly('\x80\x2e\x01\x00\x02\r\n\r\n')).toContain('BadRequest');
  });

  it('is answered as long as the grace lasts, and counted', async () => {
    await serve(true);
    expect(await askPlainly()).toContain('the status');
    expect(await ask({ certificate: certificates.operator })).toContain('the status');
    expect(await ask({})).toContain('CertificateRequired');
    expect(await metrics()).toContain('tideline_endpoint_plain_requests_total{component="test"} 1');
  });

  it('and speaks an old TLS gets no handshake', async () => {
    await serve();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    expect(await ask({ certificate: certificates.operator, options: old })).toBe('');
  });
});

describe('a thousand visitors who begin a handshake and say no more', () => {
  // What a client says first, cut in its middle.
  const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x00]);

  it('are reset, keep nobody from being answered, and cost little memory', async () => {
    await serve();
    await metrics();
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 10; round++) {
      const opened = Array.from({ length: 100 }, (_, index) => {
        const localAddress = `127.0.0.${100 + (index % 6)}`;
        return connectTcp({ host: '127.0.0.11', port, localAddress }).on('error', () => {});
      });
      sockets.push(...opened);
      await Promise.all(
        opened.map(
          (socket) =>
            new Promise<void>((resolve) => {
              socket.once('close', () => resolve()).once('connect', () => socket.write(hello, () => resolve()));
            }),
        ),
      );
      const answer = await ask({ certificate: certificates.peer });
      expect(answer).toContain('the status');
    }
    const stuck = sockets.filter((socket) => !socket.destroyed);
    expect(stuck.length).toBeLessThanOrEqual(48);
    await eventually(
      'the last one is reset',
      async () => expect(stuck.every(({ destroyed }) => destroyed)).toBe(true),
      {
        timeoutMs: 10_000,
        everyMs: 100,
      },
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 << 20);
    expect(await metrics()).toMatch(/reason="SlowVisitor",component="test"} \d+/);
  });
});
