import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createCertificateReader } from './certificate.ts';

describe('the certificate reader', () => {
  const secret = (data: Readonly<Record<string, string>>) => ({
    kind: 'Secret' as const,
    type: 'kubernetes.io/tls',
    metadata: { name: 's', namespace: 'n' },
    data,
  });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64');

  test.each([
    ['nothing', {}, 'CertificateUnreadable'],
    ['not base64', { 'tls.crt': '%%%', 'tls.key': key }, 'CertificateUnreadable'],
    ['a key where the certificate should be', { 'tls.crt': key, 'tls.key': key }, 'CertificateUnreadable'],
    ['a number', { 'tls.crt': 123, 'tls.key': key } as never, 'CertificateUnreadable'],
    ['a list', { 'tls.crt': [key], 'tls.key': [key] } as never, 'CertificateUnreadable'],
    ['a huge one', { 'tls.crt': 'A'.repeat(600_000), 'tls.key': key }, 'CertificateUnreadable'],
  ])('refuses %s', (_, data, reason) => {
    const reading = createCertificateReader()(secret(data));
    expect(reading).toMatchObject({ ok: false, fault: { reason } });
  });
});
