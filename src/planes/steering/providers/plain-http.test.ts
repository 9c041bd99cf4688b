import { expect, test } from 'vitest';
import { plainHttpNotice } from './plain-http.ts';

test.each(['http://127.0.0.1:8081', 'http://localhost', 'http://[::1]:8081', 'https://10.0.0.1'])(
  '%s is quiet',
  (url) => {
    expect(plainHttpNotice(url, '--url')).toBeUndefined();
  },
);

test.each([
  'http://10.0.0.1:8081',
  'http://127.evil.example',
  'http://localhost.evil.example',
  'http://u:p@dns.example:8081',
])('%s gets a warning without what is secret in it', (url) => {
  const notice = plainHttpNotice(url, '--url');
  expect(notice).toMatchObject({ reason: 'PlainHttp', message: expect.stringContaining('plain text') });
  expect(notice?.message).not.toContain('u:p');
});
