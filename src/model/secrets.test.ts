import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quoteAnswer, withoutUrlSecrets } from './secrets.ts';

it.each([
  [
    'PowerDNS at http://admin:hunter2@10.0.0.1:8081 did not answer',
    'PowerDNS at http://***@10.0.0.1:8081 did not answer',
  ],
  ['https://token@host/path?a=b', 'https://***@host/path?a=b'],
  ['https://u:p@ss@host/', 'https://***@host/'],
  ['https://host/?X-Amz-Signature=abc&Action=List&token=t', 'https://host/?X-Amz-Signature=***&Action=List&token=***'],
  ['mail ops@video.example about http://host/', 'mail ops@video.example about http://host/'],
])('%s', (text, expected) => {
  expect(withoutUrlSecrets(text)).toBe(expected);
});

it.each([
  ['x-api-key: hunter2hunter2', 'x-api-key: ***'],
  ['{"x-api-key":"another","host":"h"}', '{"x-api-key":***,"host":"h"}'],
  [
    'Authorization: AWS4-HMAC-SHA256 Credential=AKIA1/20260101/x, SignedHeaders=host, Signature=00ff',
    'Authorization: ***, SignedHeaders=host, Signature=***',
  ],
  ['you sent hunter2hunter2', 'you sent ***'],
  ['you sent a%2Fb%2Bc and a/b+c', 'you sent *** and ***'],
])('hides in %s', (text, expected) => {
  expect(quoteAnswer(text, ['hunter2hunter2', 'a/b+c', undefined, ''])).toBe(expected);
});

it('hides a secret wherever it stands, and cuts', () => {
  const secret = fc
    .string({ minLength: 8, maxLength: 40 })
    .filter((text) => text.trim() === text && !text.includes('*'));
  fc.assert(
    fc.property(fc.string(), secret, fc.string(), (before, key, after) => {
      const shown = quoteAnswer(`${before}${key}${after}`, [key], 100);
      expect(shown).not.toContain(key);
      expect(shown.length).toBeLessThanOrEqual(103);
    }),
  );
});
