import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../src/planes/edge/nginx/certificate.ts';
import type { Certificate } from '../../../src/planes/edge/table.ts';
import { backend, host, seen, table, vip, World } from './world.ts';

let world: World;

function certificate(id: string, commonName: string): Certificate {
  const { certificate: chain, key } = selfSigned(commonName, Date.now());
  return { id, chain, key };
}

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.destroy());

describe('TLS', () => {
  const all = { 'prefix /': 'n/a/80' };
  const first = certificate('first', 'one.example');
  const wild = certificate('wild', '*.wild.example');

  it('presents the certificate of the name asked for, and changes it without a reload', async () => {
    const backends = [backend('n/a/80', await world.pod('a', 1))];
    const hosts = (id: string) => [
      host('*.wild.example', all, { certificate: 'wild' }),
      host('one.example', all, { certificate: id }),
      host('plain.example', all),
    ];
    await world.plane.apply(table({ hosts: hosts('first'), backends, certificates: [first, wild] }));
    const presented = async (serverName: string) =>
      (await world.askTls({ host: 'one.example', serverName })).certificate;
    expect(await presented('one.example')).toBe('one.example');
    expect(await presented('ONE.example')).toBe('one.example');
    expect(await presented('one.example.')).toBe('one.example');
    expect(await presented('x.wild.example')).toBe('*.wild.example');
    expect(await presented('x.y.wild.example')).toBe('default.tideline.invalid');
    expect(await presented('unknown.example')).toBe('default.tideline.invalid');
    expect(await presented('plain.example')).toBe('default.tideline.invalid');
    expect(await presented('')).toBe('default.tideline.invalid');

    const workers = await world.nginx.workerPids();
    const second = certificate('second', 'renewed.example');
    await world.plane.apply(table({ hosts: hosts('second'), backends, certificates: [second, wild] }));
    for (let attempt = 0; attempt < 8; attempt += 1) expect(await presented('one.example')).toBe('renewed.example');

    const fallback = certificate('fallback', 'fallback.example');
    await world.plane.apply(
      table({
        hosts: [host('', {}, { certificate: 'fallback' }), ...hosts('second')],
        backends,
        certificates: [fallback, second, wild],
      }),
    );
    expect(await presented('unknown.example')).toBe('fallback.example');
    expect(await presented('plain.example')).toBe('fallback.example');
    expect(await presented('')).toBe('fallback.example');
    expect(await presented('one.example')).toBe('renewed.example');
    expect(await world.nginx.workerPids()).toEqual(workers);
    expect(await world.nginx.reloads()).toBe(0);
  });

  it('leaves a certificate out whose key is another one, and serves everything else', async () => {
    const mixed = { ...certificate('mixed', 'mixed.example'), key: first.key };
    const rubbish = { id: 'rubbish', chain: '-----BEGIN CERTIFICATE-----\nrubbish', key: 'x' };
    const hosts = [
      host('mixed.example', all, { certificate: 'mixed' }),
      host('one.example', all, { certificate: 'first' }),
    ];
    await world.plane.apply(
      table({
        hosts,
        backends: [backend('n/a/80', { address: '10.77.1.1', port: 8000 })],
        certificates: [first, mixed, rubbish],
      }),
    );
    expect(world.warnings).toEqual([
      expect.objectContaining({ kind: 'certificate', name: 'mixed', reason: 'CertificateKeyMismatch' }),
      expect.objectContaining({ kind: 'certificate', name: 'rubbish', reason: 'CertificateUnreadable' }),
    ]);
    expect((await world.askTls({ host: 'one.example', serverName: 'one.example' })).certificate).toBe('one.example');
    const reply = await world.askTls({ host: 'mixed.example', serverName: 'mixed.example' });
    expect(reply).toMatchObject({ status: 200, certificate: 'default.tideline.invalid' });
    expect(seen(reply).headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-port': '443' });
  });

  it('speaks HTTP/2', async () => {
    const session = connect(`https://${vip}`, { rejectUnauthorized: false, servername: 'one.example' });
    const body = await new Promise<string>((resolve, reject) => {
      session.on('error', reject);
      const stream = session.request({ ':path': '/h2', ':authority': 'one.example' });
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        text += chunk;
      });
      stream.on('end', () => resolve(text));
      stream.on('error', reject);
      stream.end();
    });
    session.destroy();
    expect(JSON.parse(body)).toMatchObject({ who: 'a', url: '/h2', headers: { host: 'one.example' } });
  });
});
