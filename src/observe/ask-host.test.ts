import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Issued, issue } from '../../test/support/certificates.ts';
import { askHost } from './ask-host.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const host = 'www.video.example';
const day = 86_400_000;
/** A port on which nobody listens: only root may, and no test does. */
const nobody = 1;

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const answering = (code: number, seen?: (host: string) => void): RequestListener => {
  return ({ headers }, response) => {
    seen?.(headers.host ?? '');
    response.writeHead(code, { connection: 'close' }).end();
  };
};

const plain = (code: number, seen?: (host: string) => void) => listen(createHttp(answering(code, seen)));
const secured = ({ certificate, key }: Issued, code = 200) =>
  listen(createHttps({ cert: certificate, key }, answering(code)));

const ask = (ports: { readonly http?: number; readonly https?: number }, nowMs = Date.now(), timeoutMs = 30_000) => {
  const given = { http: nobody, https: nobody, ...ports };
  return askHost({ cluster: 'cloud', host, name: host, address: '127.0.0.1', ports: given }, timeoutMs, nowMs);
};

test('asks with the name of the host, over TLS where it is spoken', async () => {
  let asked = '';
  const http = await plain(200, (name) => {
    asked = name;
  });
  expect(await ask({ http })).toEqual({ cluster: 'cloud', host, lacks: [], tls: 'none' });
  expect(asked).toBe(host);
  asked = '';
  const https = await secured(await issue({ name: host }));
  expect(await ask({ http, https })).toEqual({ cluster: 'cloud', host, lacks: [], tls: 'valid' });
  expect(asked).toBe('');
});

test('tells a certificate that ended or begins later', async () => {
  const https = await secured(await issue({ name: host, days: 30 }));
  const reasons = async (nowMs: number) => (await ask({ https }, nowMs)).lacks.map(({ reason }) => reason);
  expect(await reasons(Date.now() + 40 * day)).toEqual(['CertificateExpired']);
  expect(await reasons(Date.now() - 40 * day)).toEqual(['CertificateNotYetValid']);
});

test('a certificate of others is none for the host', async () => {
  const https = await secured(await issue({ name: 'other.example' }));
  expect(await ask({ https })).toEqual({ cluster: 'cloud', host, lacks: [], tls: 'none' });
});

test.each([
  [204, 'nothing', undefined],
  [301, 'nothing', undefined],
  [401, 'nothing', undefined],
  [403, 'nothing', undefined],
  [421, 'HostNotServed', undefined],
  [502, 'HostNotReady', undefined],
  [503, 'HostNotReady', undefined],
  [504, 'HostNotReady', undefined],
  [404, 'nothing', /answers 404 to its \/, as it may also do without the host/],
  [500, 'nothing', /answers 500/],
])('the answer %i lacks %s, and what it does not tell is not known', async (code, reason, unknown) => {
  const told = await ask({ http: await plain(code) });
  expect(told.lacks[0]?.reason ?? 'nothing').toBe(reason);
  if (unknown === undefined) expect(told.unknown).toBeUndefined();
  else expect(told.unknown).toMatch(unknown);
});

test.each<[string, RequestListener | undefined, number, RegExp]>([
  ['nobody listens', undefined, 30_000, /no answer at 127\.0\.0\.1:1: .*ECONNREFUSED/],
  ['nothing comes', () => undefined, 300, /nothing within 0\.3 s/],
  ['the connection ends', ({ socket }) => socket.destroy(), 30_000, /hang up|without an answer/],
])('where %s, it is not known', async (_, answer, timeoutMs, problem) => {
  const http = answer === undefined ? nobody : await listen(createHttp(answer));
  const told = await ask({ http }, Date.now(), timeoutMs);
  expect(told).toMatchObject({ lacks: [], unknown: expect.stringMatching(problem) });
});

test('a server that takes a handshake and says nothing leaves it unknown', async () => {
  const https = await listen(createHttp(() => undefined));
  const told = await ask({ https }, Date.now(), 300);
  expect([told.tls, told.lacks, typeof told.unknown]).toEqual(['other', [], 'string']);
});
