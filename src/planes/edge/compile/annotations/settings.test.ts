import { describe, expect, it } from 'vitest';
import { poolForTests } from '../../../../../test/support/edge-pool.ts';
import { annotationPrefix, knownAnnotations } from './known.ts';
import { readLists } from './lists.ts';
import { readAnnotations } from './read.ts';
import { defaultPoolSettings, SettingsOfRoutes } from './settings.ts';

type Texts = Readonly<Record<string, string>>;
const secure = { tls: true, certificate: true };

function read(annotations: Texts) {
  const entries = Object.entries(annotations).map(([name, value]) => [`${annotationPrefix}${name}`, value]);
  return readLists(readAnnotations('Ingress/n/i', Object.fromEntries(entries)));
}

function settings(annotations: Texts, pool: Readonly<Record<string, unknown>> = {}, host = secure) {
  return new SettingsOfRoutes(poolForTests(pool).spec).of(read(annotations), host);
}

const hsts = 'max-age=31536000; includeSubDomains';

describe('settings of a route', () => {
  it.each([
    ['a host with TLS', {}, {}, secure, { https: { code: 308 }, hsts }],
    ['a host without TLS', {}, {}, { tls: false, certificate: true }, undefined],
    ['a host whose certificate is not good', {}, {}, { tls: true, certificate: false }, { https: { code: 308 } }],
    ['ssl-redirect false', { 'ssl-redirect': 'false' }, {}, secure, { hsts }],
    [
      'force-ssl-redirect without TLS',
      { 'force-ssl-redirect': 'true' },
      {},
      { tls: false, certificate: false },
      { https: { code: 308 } },
    ],
    ['a pool that does not redirect', {}, { https: { redirect: false } }, secure, { hsts }],
    [
      'ssl-redirect true in a pool that does not redirect',
      { 'ssl-redirect': 'true' },
      { https: { redirect: false } },
      secure,
      { https: { code: 308 }, hsts },
    ],
    [
      'another code, port and no HSTS of the pool',
      {},
      { https: { redirectCode: 301, hsts: { enabled: false } }, ports: { https: 8443 } },
      secure,
      { https: { code: 301, port: 8443 } },
    ],
    [
      'HSTS of an Ingress',
      { hsts: 'true', 'hsts-max-age': '60', 'hsts-include-subdomains': 'false', 'hsts-preload': 'true' },
      { https: { redirect: false, hsts: { enabled: false } } },
      secure,
      { hsts: 'max-age=60; preload' },
    ],
    [
      'an access annotation',
      { 'auth-type': 'basic', 'proxy-body-size': '1m' },
      {},
      secure,
      { refused: 'AccessAnnotationUnsupported' },
    ],
    [
      'an access annotation that the pool ignores',
      { 'auth-type': 'basic', 'proxy-body-size': '1m' },
      { ignoreAccessAnnotations: true, https: { redirect: false, hsts: { enabled: false } } },
      secure,
      { maxBodyBytes: 1 << 20 },
    ],
    [
      'a bad list beside a good one that the pool ignores',
      { 'whitelist-source-range': 'x', 'denylist-source-range': '10.0.0.0/8' },
      { ignoreAccessAnnotations: true },
      { tls: false, certificate: false },
      { deny: ['10.0.0.0/8'] },
    ],
  ])('%s', (_, annotations, pool, host, expected) => {
    expect(settings(annotations as Texts, pool, host)).toEqual(expected);
  });

  it.each([
    ['1m', 64, 1 << 20, []],
    ['64m', 64, 64 << 20, []],
    ['65m', 64, undefined, ['BodyBoundedByPool']],
    ['0', 64, undefined, ['BodyBoundedByPool']],
    ['1g', 2048, 1 << 30, []],
  ])('a body of %s in a pool that takes %i MiB', (text, maxBodyMiB, expected, reasons) => {
    const annotations = read({ 'proxy-body-size': text });
    const settingsOf = new SettingsOfRoutes(poolForTests({ maxBodyMiB }).spec);
    expect(settingsOf.of(annotations, { tls: false, certificate: false })?.maxBodyBytes).toBe(expected);
    expect(settingsOf.problems(annotations).map(({ reason }) => reason)).toEqual(reasons);
  });
});

describe('an empty list of addresses', () => {
  const allowlist = 'allowlist-source-range';
  const whitelist = 'whitelist-source-range';
  const denylist = 'denylist-source-range';
  const list = '10.0.0.0/8';
  const allowed = { allow: [list] };
  const refused = { refused: 'AccessAnnotationInvalid' };

  // As in ingress-nginx 1.9 and later, where the older name is looked up as an alias of the newer one.
  it.each<[Texts, object | undefined, readonly string[]]>([
    [{ [whitelist]: '' }, undefined, [`AnnotationIgnored ${whitelist}`]],
    [{ [whitelist]: list, [allowlist]: '' }, allowed, [`AnnotationIgnored ${allowlist}`]],
    [{ [whitelist]: '', [allowlist]: list }, allowed, [`AnnotationIgnored ${whitelist}`]],
    [{ [allowlist]: '' }, refused, [`AccessAnnotationInvalid ${allowlist}`]],
    [
      { [whitelist]: '', [allowlist]: '' },
      refused,
      [`AccessAnnotationInvalid ${allowlist}`, `AnnotationIgnored ${whitelist}`],
    ],
    [{ [whitelist]: ' ' }, refused, [`AccessAnnotationInvalid ${whitelist}`]],
    [{ [denylist]: '' }, refused, [`AccessAnnotationInvalid ${denylist}`]],
  ])('%j', (annotations, expected, problems) => {
    expect(settings(annotations, {}, { tls: false, certificate: false })).toEqual(expected);
    const found = new SettingsOfRoutes(defaultPoolSettings()).problems(read(annotations));
    expect(found.map(({ reason, path }) => `${reason} ${/\/(.*)\]/.exec(path ?? '')?.[1]}`)).toEqual(problems);
  });
});

describe('known annotations', () => {
  const pool = defaultPoolSettings();
  const ignoring = { ...pool, ignoreAccessAnnotations: true };
  const names = Object.keys(knownAnnotations);

  it.each(names.filter((name) => knownAnnotations[name]?.fate !== 'implemented'))(
    '%s is a finding with its name',
    (name) => {
      const annotations = read({ [name]: 'something' });
      for (const each of [pool, ignoring]) {
        const [problem, ...more] = new SettingsOfRoutes(each).problems(annotations);
        expect(more).toEqual([]);
        expect(problem?.path).toBe(`metadata.annotations[${annotationPrefix}${name}]`);
      }
      const limits = knownAnnotations[name]?.fate === 'limitsAccess';
      expect(new SettingsOfRoutes(pool).refuses(annotations)).toBe(limits);
      expect(new SettingsOfRoutes(ignoring).refuses(annotations)).toBe(false);
    },
  );

  it.each(names.filter((name) => knownAnnotations[name]?.fate === 'implemented'))(
    '%s is read: a value that cannot be taken is a finding',
    (name) => {
      // Where a path has a trailing slash it stays, whatever the annotation says.
      const expected =
        name === 'preserve-trailing-slash' ? [] : [expect.stringMatching(/^(Access)?AnnotationInvalid$/)];
      const problems = new SettingsOfRoutes(pool).problems(read({ [name]: '\u0000' }));
      expect(problems.map(({ reason }) => reason)).toEqual(expected);
    },
  );

  it.each(names.flatMap((name) => (knownAnnotations[name]?.harmless ?? []).map((value) => [name, value] as const)))(
    '%s: %s asks for nothing',
    (name, value) => {
      const annotations = read({ [name]: value });
      expect(new SettingsOfRoutes(pool).problems(annotations)).toEqual([]);
      expect(annotations.canary).toBe(false);
    },
  );
});
