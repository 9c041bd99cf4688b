import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createAuthority } from './certificate.ts';

const authority = createAuthority('the authority');

const run = promisify(execFile);

describe('a certificate', () => {
  it('carries user, groups, names and addresses', () => {
    const { certificate, key } = authority.issue({
      commonName: 'tideline:edge:blade-1 é',
      organisations: ['tideline:edge', 'b'],
      hosts: ['kubernetes.default.svc', '127.0.1.7', 'fd00::1'],
    });
    const read = new X509Certificate(certificate);
    expect(read.subject).toBe('O=tideline:edge\nO=b\nCN=tideline:edge:blade-1 é');
    expect(read.issuer).toBe('CN=the authority');
    expect(read.subjectAltName).toBe('DNS:kubernetes.default.svc, IP Address:127.0.1.7, IP Address:FD00:0:0:0:0:0:0:1');
    expect(read.ca).toBe(false);
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(read.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
    expect(read.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
  });

  it('is valid from now for as long as asked', () => {
    const { certificate } = authority.issue({ commonName: 'short', validSeconds: 100 });
    const read = new X509Certificate(certificate);
    expect(Date.parse(read.validFrom)).toBeLessThan(Date.now());
    expect(Math.abs(Date.parse(read.validTo) - Date.now() - 100_000)).toBeLessThan(30_000);
  });

  it('passes the strict check of openssl as server and as client, and only under its own authority', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tideline-certificate-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    try {
      const leaf = file('leaf', authority.issue({ commonName: 'x', hosts: ['127.0.0.1'] }).certificate);
      const client = file('client', authority.issue({ commonName: 'x' }).certificate);
      const check = async (trusted: string, purpose: string, certificate: string): Promise<string> => {
        const flags = ['-x509_strict', '-purpose', purpose, '-CAfile', file('ca', trusted)];
        return (await run('openssl', ['verify', ...flags, certificate])).stdout;
      };
      const stranger = createAuthority('the authority').certificate;
      expect(await check(authority.certificate, 'sslserver', leaf)).toContain('OK');
      expect(await check(authority.certificate, 'sslclient', client)).toContain('OK');
      await expect(check(authority.certificate, 'sslserver', client)).rejects.toThrow('purpose');
      await expect(check(stranger, 'sslserver', leaf)).rejects.toThrow('unable to get local');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
