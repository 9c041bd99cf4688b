import { describe, expect, test } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import {
  answers,
  auth,
  closed,
  compiled,
  ingress,
  list,
  type Raw,
  reasons,
  refused,
  regex,
  web,
  webBackend,
} from '../../../../test/support/limited-answers.ts';
import { problemsBeforehand } from './beforehand.ts';

describe('where limits hold for whole hosts in ingress-nginx', () => {
  test.each(['auth-tls-secret', 'server-snippet'])('%s closes the rest of its namespace on the host', (name) => {
    const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: { [name]: 'shop/ca' } });
    const foreign = ingress('foreign', { paths: ['/theirs'], age: 3, namespace: 'other' });
    const elsewhere = ingress('elsewhere', { paths: ['/'], age: 4, host: 'b.example' });
    const result = compiled([web, admin, foreign, elsewhere]);
    expect(answers(result)).toEqual({ '/': closed, '/admin': 'AccessAnnotationUnsupported', '/theirs': 'open' });
    expect(answers(result, 'b.example')).toEqual({ '/': 'open' });
    expect(reasons(result, 'web')).toEqual([closed]);
    expect(answers(compiled([web, admin], { ignoreAccessAnnotations: true }))).toEqual({
      '/': 'open',
      '/admin': 'open',
    });
  });

  test('also the default backend of the host, and a canary that has it', () => {
    const web = ingress('web', { paths: ['/x'], age: 1 });
    const spec = { ...(web.spec as Raw), defaultBackend: webBackend };
    const admin = ingress('admin', {
      paths: ['/admin'],
      age: 2,
      annotations: { canary: 'true', 'auth-tls-secret': 'shop/ca' },
    });
    const { table } = compiled([{ ...web, spec }, admin]);
    const host = table.hosts.find(({ name }) => name === 'a.example');
    expect(host?.settings?.[host.defaultSettings ?? -1]).toEqual({ refused: closed });
    expect(answers({ table } as never)).toEqual({ '/x': closed });
  });
});

test('an alias of a host with limits falls to no wildcard, unless a rule names it, which ingress-nginx prefers', () => {
  const open = ingress('web', { paths: ['/'], age: 1, host: '*.example' });
  const aliases = { 'server-alias': 'b.example, ~^c[0-9]+$, *.d.example' };
  const admin = ingress('admin', { paths: ['/x'], age: 2, annotations: { ...list, ...aliases } });
  expect(answers(compiled([open, admin]), 'b.example')).toEqual({ '/': refused });
  expect(answers(compiled([open, admin]), '*.d.example')).toEqual({ '/': refused });
  const named = ingress('named', { paths: ['/y'], age: 3, host: 'b.example', namespace: 'other' });
  expect(answers(compiled([open, admin, named]), 'b.example')).toEqual({ '/y': 'open' });
  const unlimited = ingress('admin', { paths: ['/x'], age: 2, annotations: aliases });
  expect(compiled([open, unlimited]).table.hosts.map(({ name }) => name)).toEqual(['*.example', 'a.example']);
});

describe('annotations', () => {
  test.each([
    'auth-url',
    'auth-type',
    'auth-secret',
    'auth-signin',
    'auth-tls-secret',
    'auth-tls-verify-client',
    'configuration-snippet',
    'server-snippet',
    'enable-modsecurity',
  ])('an empty %s counts as not given, as in ingress-nginx', (name) => {
    for (const value of ['', ' ']) {
      const result = compiled([web, ingress('admin', { paths: ['/admin'], age: 2, annotations: { [name]: value } })]);
      expect(answers(result)).toEqual({ '/': 'open', '/admin': 'open' });
      expect(reasons(result)).toEqual(['AnnotationIgnored']);
    }
  });

  test.each(['allowlist-source-range', 'denylist-source-range'])('an empty %s refuses, as in ingress-nginx', (name) => {
    const result = compiled([web, ingress('admin', { paths: ['/admin'], age: 2, annotations: { [name]: '' } })]);
    expect(answers(result)).toEqual({ '/': 'open', '/admin': 'AccessAnnotationInvalid' });
  });

  test('a canary takes no path and limits none, as in ingress-nginx, where the other Ingress has the annotations', () => {
    const canary = ingress('admin', { paths: ['/admin'], age: 2, annotations: { ...list, canary: 'true' } });
    expect(answers(compiled([web, canary]))).toEqual({ '/': 'open' });
  });

  test.each(['', 'yes', 'false', '0'])('canary: "%s" is none, so its limits hold', (value) => {
    const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: { ...list, canary: value } });
    expect(answers(compiled([web, admin]))).toEqual({ '/': 'open', '/admin': 'limited' });
  });

  test('limits nothing when the pool does not care', () => {
    const plain = ingress('admin', { paths: ['/admin(/|$)(.*)'], age: 2, annotations: regex });
    expect(answers(compiled([web, plain]))).toEqual({ '/': 'open', '/admin(/|$)(.*)': 'open' });
    const careless = ingress('admin', { paths: ['/admin//x'], age: 2, annotations: auth });
    expect(answers(compiled([web, careless], { ignoreAccessAnnotations: true }))).toEqual({ '/': 'open' });
  });
});

test('an exact host keeps its requests from the limits of its wildcard, and the other way round', () => {
  const wildcard = ingress('admin', { paths: ['/admin'], age: 2, annotations: auth, host: '*.example' });
  const result = compiled([web, wildcard]);
  expect(answers(result)).toEqual({ '/': 'open' });
  expect(answers(result, '*.example')).toEqual({ '/admin': 'AccessAnnotationUnsupported' });
});

test('a default backend does not answer what is lost beside it', () => {
  const fallback = ingress('web', { paths: ['/x'], age: 1 });
  const spec = { ...(fallback.spec as Raw), defaultBackend: webBackend };
  const admin = ingress('admin', { paths: ['/admin.*'], age: 2, annotations: { ...regex, ...auth } });
  expect(answers(compiled([{ ...fallback, spec }, admin]))).toEqual({ '/x': 'open', '~* /admin': refused });
});

describe('before Ingresses are applied', () => {
  function beforehand(ingresses: readonly Raw[]): readonly (readonly [string, string, string])[] {
    const problems = problemsBeforehand(stateFromObjects(ingresses).objects.Ingress, poolForTests().spec);
    return [...problems.values()].flat().map(({ object, reason, message }) => [object ?? '', reason, message]);
  }

  test('what is refused in place of a path is said', () => {
    const paths = ['/wp-(login|admin)', '/a'];
    const admin = ingress('admin', { paths, age: 2, type: 'ImplementationSpecific', annotations: list });
    expect(beforehand([admin])).toEqual([
      [
        'Ingress/shop/admin',
        refused,
        expect.stringContaining('all that begins with /wp-login, all that begins with /wp-admin'),
      ],
    ]);
  });

  test('what one Ingress does to another is said of the other', () => {
    const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: { 'auth-tls-secret': 'shop/ca' } });
    expect(beforehand([web, admin])).toEqual([
      ['Ingress/shop/admin', 'AccessAnnotationUnsupported', expect.stringContaining('it holds for whole hosts')],
      [
        'Ingress/shop/web',
        closed,
        expect.stringContaining('routes of a.example are refused because of Ingress shop/admin'),
      ],
    ]);
    const regexes = ingress('regexes', { paths: ['/x'], age: 3, annotations: regex });
    const pattern = ingress('admin', { paths: ['/admin(/|$)'], age: 2, annotations: list });
    expect(beforehand([web, pattern])).toEqual([]);
    expect(beforehand([web, pattern, regexes]).map(([object, reason]) => [object, reason])).toEqual([
      ['Ingress/shop/admin', refused],
      ['Ingress/shop/regexes', 'AnnotationIgnored'],
    ]);
  });
});
