import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Secret } from '../../../src/kube/kinds/secret.ts';
import type { Certificate } from '../../../src/planes/edge/table.ts';
import { createCertificateReader } from '../../../src/planes/edge/tables/certificate.ts';
import { ec, type Issued, issue, rsa, secretData } from '../../support/certificates.ts';
import { eventually, host, table, vip, World } from './world.ts';

/** The first try of a pair fails in handshakes for this name, as when OpenSSL refuses it. */
const planted = `
local ssl = require "ngx.ssl"
local set_cert = ssl.set_cert
ssl.set_cert = function(chain)
  if ssl.server_name() == "planted.example" and not ngx.ctx.planted then
    ngx.ctx.planted = true
    return nil, "planted refusal"
  end
  return set_cert(chain)
end
`;

interface Case {
  readonly name: string;
  readonly chain: readonly Issued[];
  /** What the compile step says of the Secret; undefined: it is good. */
  readonly reason?: string;
  /** Whether the OpenSSL of nginx refuses the pair as soon as it is given one. */
  readonly refusedByNginx?: boolean;
}

let world: World;
let cases: readonly Case[];

beforeAll(async () => {
  const root = await issue({ name: 'root', authority: true });
  const short = await issue({ name: 'short', key: rsa(1024), issuer: root, authority: true });
  const old = await issue({ name: 'old', digest: 'sha1', issuer: root, authority: true });
  const oldRoot = await issue({ name: 'old-root', digest: 'sha1', authority: true });
  const leaf = (name: string, more: object = {}) => issue({ name: `${name}.example`, issuer: root, ...more });
  cases = [
    { name: 'rsa2048', chain: [await leaf('rsa2048'), root] },
    { name: 'p256', chain: [await leaf('p256', { key: ec('prime256v1') })] },
    { name: 'p384', chain: [await leaf('p384', { key: ec('secp384r1') })] },
    { name: 'p521', chain: [await leaf('p521', { key: ec('secp521r1') })] },
    { name: 'ed25519', chain: [await leaf('ed25519', { key: ['-algorithm', 'ED25519'] })] },
    { name: 'self-signed-sha1-root', chain: [await leaf('self-signed-sha1-root', { issuer: oldRoot }), oldRoot] },
    {
      name: 'sha1',
      chain: [await leaf('sha1', { digest: 'sha1' })],
      reason: 'CertificateSignatureWeak',
      refusedByNginx: true,
    },
    {
      name: 'md5',
      chain: [await leaf('md5', { digest: 'md5' })],
      reason: 'CertificateSignatureWeak',
      refusedByNginx: true,
    },
    {
      name: 'sha1-chain',
      chain: [await leaf('sha1-chain', { issuer: old }), old],
      reason: 'CertificateSignatureWeak',
      refusedByNginx: true,
    },
    {
      name: 'short-chain',
      chain: [await leaf('short-chain', { issuer: short }), short],
      reason: 'CertificateKeyWeak',
      refusedByNginx: true,
    },
    {
      name: 'short',
      chain: [await leaf('short', { key: rsa(1024) })],
      reason: 'CertificateKeyWeak',
      refusedByNginx: true,
    },
    { name: 'p224', chain: [await leaf('p224', { key: ec('secp224r1') })], reason: 'CertificateKeyWeak' },
    { name: 'k256', chain: [await leaf('k256', { key: ec('secp256k1') })], reason: 'CertificateKeyWeak' },
    {
      name: 'brainpool',
      chain: [await leaf('brainpool', { key: ec('brainpoolP256r1') })],
      reason: 'CertificateKeyWeak',
    },
  ];
  world = await World.create({}, planted);
}, 120_000);
afterAll(() => world.destroy());

function chainOf({ chain }: Case): string {
  return chain.map(({ certificate }) => certificate).join('');
}

function pair(one: Case): Certificate {
  return { id: one.name, chain: chainOf(one), key: one.chain[0]?.key ?? '' };
}

/** The common name of the certificate that nginx presents, or the error of the handshake. */
function presented(servername: string, version: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  const versions = { minVersion: version, maxVersion: version } as const;
  return new Promise((resolve) => {
    const call = request(
      { host: vip, servername, rejectUnauthorized: false, agent: false, ...versions },
      (response) => {
        response.resume();
        resolve(String((response.socket as TLSSocket).getPeerCertificate().subject?.CN));
      },
    );
    call.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    call.end();
  });
}

describe('certificates that OpenSSL may refuse', () => {
  it('are refused by the reader by name; nginx presents all that the reader takes', async () => {
    const read = createCertificateReader();
    const verdicts = cases.map((one) => {
      const data = secretData(chainOf(one), one.chain[0]?.key ?? '');
      const secret: Secret = { kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: one.name }, data };
      const reading = read(secret);
      return [one.name, reading.ok ? undefined : reading.fault.reason];
    });
    expect(verdicts).toEqual(cases.map(({ name, reason }) => [name, reason]));

    const hosts = cases.map(({ name }) => host(`${name}.example`, {}, { certificate: name }));
    await world.plane.apply(table({ hosts, certificates: cases.map(pair) }));
    const left = world.warnings
      .filter(({ kind }) => kind === 'certificate')
      .map(({ name, reason }) => `${String(name)} ${String(reason)}`);
    const expected = cases.filter(({ refusedByNginx }) => refusedByNginx).map(({ name }) => name);
    expect(new Set(left)).toEqual(new Set(expected.map((name) => `${name} CertificateRefused`)));
    for (const { name, reason, refusedByNginx } of cases)
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const answer = await presented(`${name}.example`, version);
        if (reason === undefined) expect([name, version, answer]).toEqual([name, version, `${name}.example`]);
        else if (refusedByNginx) expect([name, version, answer]).toEqual([name, version, 'default.tideline.invalid']);
        else expect([name, version, answer]).not.toEqual([name, version, `${name}.example`]);
      }
    await eventually('the refused pairs are in the status', async () => {
      const refused = world.plane.status()?.refusedPairs ?? {};
      return expected.every((name) => name in refused) && Object.keys(refused).length === expected.length;
    });
    expect(world.plane.status()?.refusedPairs).toMatchObject({ sha1: 'ca md too weak', short: 'ee key too small' });
  });

  it('are passed over at a handshake: the default certificate is presented, and the status counts and names it', async () => {
    const [good] = cases;
    const before = world.plane.status()?.refusedHandshakes ?? 0;
    const hosts = [
      host('planted.example', {}, { certificate: 'planted' }),
      host('rsa2048.example', {}, { certificate: 'planted' }),
    ];
    const certificates = [{ ...pair(good!), id: 'planted' }];
    await world.plane.apply(table({ hosts, certificates }));
    expect(await presented('planted.example', 'TLSv1.3')).toBe('default.tideline.invalid');
    expect(await presented('planted.example', 'TLSv1.2')).toBe('default.tideline.invalid');
    expect(await presented('rsa2048.example', 'TLSv1.3')).toBe('rsa2048.example');
    await eventually('the status says so', async () => world.plane.status()?.refusedHandshakes === before + 2);
    expect(world.plane.status()?.refusedPairs).toMatchObject({ planted: 'planted refusal' });

    const fallback = { ...pair(cases[1]!), id: 'fallback' };
    const any = host('', {}, { certificate: 'fallback' });
    await world.plane.apply(table({ hosts: [any, ...hosts], certificates: [fallback, ...certificates] }));
    expect(await presented('planted.example', 'TLSv1.3')).toBe('p256.example');
  });

  it('are all known when they are pushed, though nginx itself remembers the newest 64 only', async () => {
    const seen: (readonly string[])[] = [];
    const unsubscribe = world.plane.onStatus((status) => seen.push(Object.keys(status?.refusedPairs ?? {})));
    const bad = cases.find(({ name }) => name === 'short');
    const ids = Array.from({ length: 70 }, (_, index) => `bad-${index}`);
    await world.plane.apply(table({ certificates: ids.map((id) => ({ ...pair(bad!), id })) }));
    expect(seen.at(-1)).toEqual(expect.arrayContaining(ids));
    await eventually('the status of nginx has 64', async () => {
      const now = Object.keys(world.plane.status()?.refusedPairs ?? {});
      return now.length === 64 && now.every((id) => id.startsWith('bad-'));
    });
    unsubscribe();
  });
});
