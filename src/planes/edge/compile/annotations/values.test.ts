import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseAppRoot,
  parseBoolean,
  parsePrefixes,
  parseRedirectCode,
  parseRedirectTarget,
  parseSize,
  parseWhole,
} from './values.ts';

const valueOf = <T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false }) =>
  parsed.ok ? parsed.value : undefined;

describe('values of annotations', () => {
  it.each([
    ['true', true],
    ['T', true],
    ['1', true],
    ['False', false],
    ['0', false],
    ['yes', undefined],
    ['', undefined],
    ['tRUE', undefined],
  ])('boolean %j: %s', (text, expected) => expect(valueOf(parseBoolean(text))).toBe(expected));

  it.each([
    ['1', 1],
    ['75', 75],
    ['0', undefined],
    ['76', undefined],
    ['5s', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e1', undefined],
  ])('whole number %j: %s', (text, expected) => expect(valueOf(parseWhole(text, 1, 75))).toBe(expected));

  it.each([
    ['0', 0],
    ['512', 512],
    ['8m', 8 << 20],
    ['8M', 8 << 20],
    ['1k', 1024],
    ['10g', 10 * 1024 ** 3],
    ['5b', 5],
    ['m', undefined],
    ['8mb', undefined],
    ['-1', undefined],
    ['1 m', undefined],
  ])('size %j: %s', (text, expected) => expect(valueOf(parseSize(text))).toBe(expected));

  it.each([
    ['301', 301],
    ['308', 308],
    ['304', undefined],
    ['200', undefined],
    ['3010', undefined],
  ])('code %j: %s', (text, expected) => expect(valueOf(parseRedirectCode(text))).toBe(expected));

  it.each([
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['10.1.2.3/8', ['10.0.0.0/8']],
    ['192.0.2.1', ['192.0.2.1/32']],
    [' 192.0.2.1 , 2001:DB8::1/32,10.0.0.0/8,10.0.0.0/8', ['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32']],
    ['0.0.0.0/0,::/0', ['0.0.0.0/0', '::/0']],
    ['', undefined],
    ['10.0.0.0/8,', undefined],
    ['10.1', undefined],
    ['10.1/8', undefined],
    ['010.0.0.1', undefined],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.0.0.0/', undefined],
    ['example.com', undefined],
    ['10.0.0.0/8 192.0.2.1', undefined],
    ['fe80::1%eth0', undefined],
    ['::ffff:10.0.0.0/104', undefined],
    ['::ffff:192.0.2.1', undefined],
    [Array.from({ length: 4097 }, () => '10.0.0.0/8').join(), undefined],
  ])('prefixes %j: %j', (text, expected) => expect(valueOf(parsePrefixes(text))).toEqual(expected));

  it('a list that is too long is refused before any element is read', () => {
    expect(parsePrefixes(`nonsense${','.repeat(4096)}`)).toEqual({ ok: false, expected: 'at most 4096 prefixes' });
  });

  it('an address of a list costs a few microseconds: tenants write many, and one thread reads them all', () => {
    const list = Array.from({ length: 4096 }, (_, at) => `2001:db8:${at.toString(16)}:1:1234:5678:9abc:1`).join();
    const micros = [1, 2, 3, 4].map(() => {
      const before = process.cpuUsage();
      expect(parsePrefixes(list).ok).toBe(true);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 4096;
    });
    // Processor time, so that a busy machine does not matter; it was 37 with a parse for each question that was asked.
    expect(Math.min(...micros)).toBeLessThan(15);
  });

  it.each([
    ['https://new.example', true],
    ['http://new.example:8080/path?q=1#x', true],
    ['https://new.example$request_uri', true],
    ['https://new.example/$host$request_uri', true],
    ['$scheme://new.example/', true],
    ['https://$host$request_uri', true],
    ['https://[2001:db8::1]/x', true],
    ['/relative', false],
    ['//new.example', false],
    ['javascript:alert(1)', false],
    ['https://', false],
    ['https://$request_uri', false],
    ['https://new.example$uri', false],
    ['https://new.example$request_uri_x', false],
    ['https://new.example.$host/', false],
    ['https://user:secret@new.example/', false],
    ['https://new.example\\@evil.example/', false],
    ['https://new.example/ x', false],
    ['https://new.example/\r\nSet-Cookie: a=b', false],
    ['https://new.example/é', false],
    [`https://new.example/${'x'.repeat(2048)}`, false],
  ])('redirect to %j: %s', (text, expected) => expect(parseRedirectTarget(text).ok).toBe(expected));

  it.each([
    ['/app', true],
    ['/app/', true],
    ['/.well-known', true],
    ['/a%2Fb', true],
    ['/a/../b', true],
    ['/', false],
    ['/?x=1', false],
    ['/#/start', false],
    ['/.', false],
    ['/./?x', false],
    ['/a/..', false],
    ['/a%2F%2e%2E', false],
    ['/..', false],
    ['/.//', false],
    ['/%2f', false],
    ['/a?b=c#d', true],
    ['app', false],
    ['//evil.example', false],
    ['/\\evil.example', false],
    ['/a\r\nX: y', false],
    ['', false],
  ])('app root %j: %s', (text, expected) => expect(parseAppRoot(text).ok).toBe(expected));

  it('lets no control character, space or quote into a Location, whatever is written', () => {
    // fast-check's own unit of any character takes seconds to make.
    const unit = fc.integer({ min: 0, max: 0x2fff }).map((code) => String.fromCodePoint(code));
    const text = fc.oneof(
      fc.string({ unit }),
      fc.string({ unit }).map((rest) => `https://a.example/${rest}`),
      fc.string({ unit }).map((rest) => `/${rest}`),
    );
    fc.assert(
      fc.property(text, (written) => {
        for (const parsed of [parseRedirectTarget(written), parseAppRoot(written)])
          if (parsed.ok) expect(parsed.value).toMatch(/^[\x21\x23-\x7e]+$/);
      }),
    );
  });
});
