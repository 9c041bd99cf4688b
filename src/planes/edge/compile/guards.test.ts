import { describe, expect, test } from 'vitest';
import {
  answers,
  auth,
  closed,
  compiled,
  ingress,
  list,
  reasons,
  refused,
  regex,
  signs,
  web,
} from '../../../../test/support/limited-answers.ts';
import { guardOfPath, guardsOfPattern } from './guards.ts';

describe('a path of an Ingress that limits access does not fall to a broader route', () => {
  test.each([
    ['a regular expression with auth-url', '/admin(/|$)(.*)', 'Prefix', { ...regex, ...auth }, '~ /admin'],
    [
      'a rewrite with auth-url',
      '/admin(/|$)(.*)',
      'ImplementationSpecific',
      { 'rewrite-target': '/$2', ...auth },
      '~ /admin',
    ],
    ['a regular expression with a list', '/admin/(.*)', 'ImplementationSpecific', { ...regex, ...list }, '~ /admin'],
    ['an optional slash', '/admin/?(.*)', 'ImplementationSpecific', { ...regex, ...list }, '~* /admin'],
    ['a regular expression that no annotation names', '/admin/?(.*)', 'ImplementationSpecific', list, '~* /admin'],
    ['a beginning of names', '/Wp-.*', 'Prefix', { ...regex, ...list }, '~* /wp-'],
    ['a path that is not normal', '/admin//x', 'Prefix', auth, '/admin'],
    ['a path with encoded characters', '/admin/caf%C3%A9', 'Prefix', auth, '/admin'],
    [
      'a regular expression that is not normal',
      '/admin//?(.*)',
      'ImplementationSpecific',
      { ...regex, ...auth },
      '~ /admin',
    ],
    ['a pathType that nobody knows', '/admin', 'Regex', list, '/admin'],
  ])('%s', (_, path, type, annotations, guard) => {
    const result = compiled([web, ingress('admin', { paths: [path], age: 2, type, annotations })]);
    expect(answers(result)).toEqual({ '/': 'open', [guard]: refused });
  });

  test('several regular expressions in one', () => {
    const admin = ingress('admin', { paths: ['/wp-(login|admin)'], age: 2, annotations: { ...regex, ...list } });
    expect(answers(compiled([web, admin]))).toEqual({ '/': 'open', '~* /wp-login': refused, '~* /wp-admin': refused });
  });

  test('when its Service is an ExternalName or its backend no Service', () => {
    for (const backend of [
      { service: { name: 'outside', port: { number: 80 } } },
      { resource: { kind: 'Bucket', name: 'b' } },
    ]) {
      const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: list, backend });
      expect(answers(compiled([web, admin]))).toEqual({ '/': 'open', '/admin': refused });
      const asText = ingress('admin', {
        paths: ['/wp-login'],
        age: 2,
        type: 'ImplementationSpecific',
        annotations: list,
        backend,
      });
      expect(answers(compiled([web, asText]))).toEqual({ '/': 'open', '/wp-login': refused, '* /wp-login': refused });
    }
  });

  test('a regular expression that is not served closes what ingress-nginx would have asked after it', () => {
    const unserved = [
      { service: { name: 'outside', port: { number: 80 } } },
      { resource: { kind: 'Bucket', name: 'b' } },
      {},
    ];
    const open = ingress('open', { paths: ['/admin/public', '/admin/public/files'], age: 1 });
    const admin = { paths: ['/admin(/|$)(.*)'], age: 2, annotations: { ...regex, ...list } };
    const served = answers(compiled([open, ingress('admin', admin)]));
    expect(served).toMatchObject({ '/admin/public': closed, '/admin/public/files': 'open' });
    for (const backend of unserved)
      expect(answers(compiled([open, ingress('admin', { ...admin, backend })]))).toEqual(served);
    const notNormal = ingress('admin', { ...admin, paths: ['/admin//?(.*)'] });
    const result = answers(compiled([ingress('open', { paths: ['/admin/a'], age: 1 }), notNormal]));
    expect(result).toMatchObject({ '/admin/a': closed });
  });

  test.each([
    ['ObjectBudget', { object: { routes: 1 } }, ['/first', '/admin']],
    ['NamespaceBudget', { namespace: { routes: 2 } }, ['/first', '/admin']],
  ])('when there is no room for it: %s', (reason, limits, paths) => {
    const result = compiled([web, ingress('admin', { paths, age: 2, annotations: list })], { limits });
    expect(answers(result)).toEqual({ '/': 'open', '/admin': refused, '/first': 'limited' });
    expect(reasons(result)).toEqual([reason]);
  });

  test('when there is no room for guards either: its namespace is closed on the host', () => {
    const paths = Array.from({ length: 6 }, (_, at) => `/admin${at}`);
    const admin = { paths, age: 2, annotations: list };
    const limits = { namespace: { routes: 2 } };
    const result = compiled([web, ingress('admin', admin)], { limits });
    expect(answers(result)['/']).toBe(closed);
    expect(reasons(result, 'web')).toEqual([closed]);
  });

  test('when its host gets no entry at all: its namespace is closed on the wildcard, or on any host', () => {
    for (const broader of ['*.example', '']) {
      const open = ingress('web', { paths: ['/'], age: 1, host: broader });
      const lost = ingress('lost', {
        paths: ['/p', '/q', '/r'].flatMap((path) => [path, `${path}/x`]),
        age: 3,
        annotations: list,
        host: 'b.example',
        backend: { service: { name: 'outside', port: { number: 80 } } },
      });
      const crowd = ingress('crowd', {
        paths: ['/a', '/b'],
        age: 2,
        annotations: list,
        host: 'c.example',
        backend: { service: { name: 'outside', port: { number: 80 } } },
      });
      const result = compiled([open, crowd, lost], { limits: { namespace: { routes: 2 } } });
      expect(answers(result, broader)).toEqual({ '/': closed });
    }
  });
});

describe('in ingress-nginx an ImplementationSpecific path is all that begins with it', () => {
  const login = { paths: ['/wp-login', '/b/'], type: 'ImplementationSpecific', annotations: list };

  test('so its limits hold for all that begins with it', () => {
    const result = compiled([web, ingress('admin', { ...login, age: 2 })]);
    expect(answers(result)).toEqual({ '/': 'open', '/wp-login': 'limited', '* /wp-login': 'limited', '/b': 'limited' });
    expect(reasons(result)).toEqual([]);
  });

  test('without limits it is a prefix of elements', () => {
    const result = compiled([web, ingress('admin', { ...login, annotations: {}, age: 2 })]);
    expect(answers(result)).toEqual({ '/': 'open', '/wp-login': 'open', '/b': 'open' });
  });

  test('so a Prefix with limits is asked before it, and closes it where both cannot be served', () => {
    const open = ingress('web', { paths: ['/admin'], age: 1, type: 'ImplementationSpecific' });
    const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: list });
    const result = compiled([open, admin]);
    expect(answers(result)).toEqual({ '/admin': closed });
    expect(reasons(result)).toEqual(['PathConflict']);
    expect(reasons(result, 'web')).toEqual([closed]);
    const foreign = ingress('theirs', {
      paths: ['/admin'],
      age: 1,
      type: 'ImplementationSpecific',
      namespace: 'other',
    });
    expect(answers(compiled([foreign, admin]))).toEqual({ '/admin': 'open' });
  });

  test('so it limits what begins with it although an older Prefix has the elements', () => {
    const open = ingress('web', { paths: ['/admin'], age: 1 });
    const admin = ingress('admin', { paths: ['/admin'], age: 2, type: 'ImplementationSpecific', annotations: list });
    expect(answers(compiled([open, admin]))).toEqual({ '/admin': 'open', '* /admin': refused });
  });

  test('so a path with a slash at its end is another one, and closes what has the elements here', () => {
    for (const type of ['Prefix', 'ImplementationSpecific'])
      for (const [first, second] of [
        ['/admin', '/admin/'],
        ['/admin/', '/admin'],
      ] as const) {
        const open = ingress('web', { paths: [first], age: 1, type });
        const admin = ingress('admin', { paths: [second], age: 2, type, annotations: list });
        expect(answers(compiled([open, admin]))['/admin']).toBe(closed);
      }
  });

  test('of two of one type the older one is served, whoever limits access', () => {
    for (const type of ['Prefix', 'ImplementationSpecific', 'Exact']) {
      const open = ingress('web', { paths: ['/admin'], age: 1, type });
      const admin = ingress('admin', { paths: ['/admin'], age: 2, type, annotations: list });
      expect(Object.values(answers(compiled([open, admin])))).toEqual(['open']);
    }
  });
});

describe('in ingress-nginx every path of a host is a regular expression when one Ingress says so', () => {
  const other = ingress('other', { paths: ['/other'], age: 9, namespace: 'other', annotations: regex });

  test.each([
    ['Prefix', { '/admin': 'limited', '~* /admin': 'limited' }],
    ['ImplementationSpecific', { '/admin': 'limited', '~* /admin': 'limited' }],
    ['Exact', { '= /admin': 'limited', '~* /admin': 'limited' }],
  ])('so limits hold for all that begins with the path, in any case: %s', (type, expected) => {
    const admin = ingress('admin', { paths: ['/admin'], age: 2, type, annotations: list });
    const result = compiled([web, admin, other]);
    expect(answers(result)).toEqual({ '/': 'open', '/other': 'open', ...expected });
    expect(answers(compiled([web, admin]))).not.toHaveProperty('~* /admin');
  });

  test('also where only a rewrite says so, but not one to the path itself', () => {
    const admin = ingress('admin', { paths: ['/admin'], age: 2, annotations: list });
    const rewriting = (target: string) =>
      ingress('rewriting', { paths: ['/x'], age: 3, annotations: { 'rewrite-target': target } });
    expect(answers(compiled([web, admin, rewriting('/')]))).toHaveProperty('~* /admin');
    expect(answers(compiled([web, admin, rewriting('/x')]))).not.toHaveProperty('~* /admin');
  });

  test('also a Prefix of an Ingress that does not say so', () => {
    const admin = ingress('admin', { paths: ['/admin(/|$)'], age: 2, annotations: list });
    expect(answers(compiled([web, admin, other]))).toEqual({ '/': 'open', '/other': 'open', '~ /admin': refused });
  });

  test.each([
    ['longer than the expression', '/admin(/|$)(.*)', '/admin/public/files', 'open'],
    ['shorter than the expression', '/admin(/|$)(.*)', '/admin/public', closed],
    ['another name', '/admin(/|$)(.*)', '/admins', 'open'],
    ['the same in another case', '/admin', '/ADMIN', closed],
    ['outside of the alternatives', '/(admin|shop/internal)/.*', '/blog', 'open'],
    ['above one of the alternatives', '/(admin|shop/internal)/.*', '/shop', 'open'],
    ['below one of the alternatives', '/(admin|shop/internal)/.*', '/shop/internal/x', closed],
    ['what cannot be told', '/.*/admin', '/shop', closed],
    ['what cannot be told, but goes first', '/.*/admin', '/shop/admin/public', 'open'],
  ])(
    'so a path of another Ingress is served when its requests would not be limited: %s',
    (_, path, sibling, expected) => {
      const admin = ingress('admin', { paths: [path], age: 2, annotations: { ...regex, ...list } });
      const ours = ingress('web', { paths: [sibling], age: 1 });
      const result = compiled([ours, admin]);
      expect(answers(result)[sibling]).toBe(expected);
      expect(reasons(result, 'web')).toEqual(expected === closed ? [closed] : []);
      const theirs = ingress('web', { paths: [sibling], age: 1, namespace: 'other' });
      expect(answers(compiled([theirs, admin]))[sibling]).toBe('open');
    },
  );

  test('so a Prefix has two forms, with a slash and without, and only one when its Ingress says that it is an expression', () => {
    const sibling = ingress('web', { paths: ['/admin/x'], age: 1 });
    const prefix = { paths: ['/admin.*'], age: 2, annotations: list };
    expect(answers(compiled([sibling, ingress('admin', prefix), other]))['/admin/x']).toBe(closed);
    const own = ingress('admin', { ...prefix, annotations: { ...list, ...regex } });
    expect(answers(compiled([sibling, own]))['/admin/x']).toBe('open');
    const slashed = ingress('admin', { paths: ['/admin/'], age: 2, type: 'Exact', annotations: list });
    expect(answers(compiled([web, slashed, other]))).toMatchObject({ '= /admin/': 'limited', '~* /admin/': 'limited' });
  });

  test('so of two types of one path the older one is served', () => {
    const limits = { paths: ['/admin'], type: 'ImplementationSpecific', annotations: list };
    const exact = (age: number) => ingress('web', { paths: ['/admin'], age, type: 'Exact' });
    expect(answers(compiled([exact(1), ingress('admin', { ...limits, age: 2 }), other]))['= /admin']).toBe('open');
    expect(answers(compiled([exact(3), ingress('admin', { ...limits, age: 2 }), other]))['= /admin']).toBe(closed);
    expect(answers(compiled([exact(3), ingress('admin', { ...limits, age: 2 })]))['= /admin']).toBe('open');
  });

  test.each(['admin', 'admin/(.*)', '(.*)'])(
    'so the broadest route of its namespace is closed by limits of a path that does not begin with a slash: %s',
    (path) => {
      const admin = { paths: [path], age: 2, type: 'ImplementationSpecific', annotations: { ...regex, ...list } };
      expect(answers(compiled([web, ingress('admin', admin)]))).toEqual({ '/': closed });
      expect(answers(compiled([web, ingress('admin', { ...admin, namespace: 'other' })]))).toEqual({ '/': 'open' });
    },
  );

  test.each(['/.*', '/admin|/other', '/(.*)', '/[^/]+/admin'])(
    'so the broadest route of its namespace is closed when nothing can be told apart: %s',
    (path) => {
      const admin = ingress('admin', { paths: [path], age: 2, annotations: { ...regex, ...list } });
      const foreign = ingress('foreign', { paths: ['/theirs'], age: 3, namespace: 'other' });
      const result = compiled([web, admin, foreign]);
      expect(answers(result)).toMatchObject({ '/': closed, '/theirs': 'open' });
      expect(reasons(result, 'web')).toEqual([closed]);
      expect(reasons(result)).toEqual(['AnnotationIgnored', refused]);
    },
  );

  test.each(['/.*', '/admin|/other'])('so also when its backend cannot be served: %s', (path) => {
    const backend = { service: { name: 'outside', port: { number: 80 } } };
    const admin = ingress('admin', { paths: [path], age: 2, annotations: { ...regex, ...list }, backend });
    expect(answers(compiled([web, admin]))).toEqual({ '/': closed });
  });

  test('a namespace with many paths and expressions costs little, and closes what it cannot compare', () => {
    const many = Array.from({ length: 400 }, (_, at) => at);
    const admin = ingress('admin', {
      paths: many.map((at) => `/a${'(|a)'.repeat(200)}x${at}`),
      age: 2,
      annotations: { ...regex, ...list },
    });
    const ours = ingress('web', { paths: many.map((at) => `/${'a'.repeat(200)}b${at}`), age: 1 });
    const result = compiled([ours, admin], { limits: { object: { routes: 2000 } } });
    const given = Object.entries(answers(result)).filter(([path]) => path.startsWith('/aaa'));
    expect(given.map(([, answer]) => answer).filter((answer) => answer === 'open')).toEqual([]);
  });
});

describe('what is refused for a path', () => {
  test.each([
    ['/admin(/|$)(.*)', ['~ /admin']],
    ['/admin(?:/|$)', ['~ /admin']],
    ['/admin(/.*)?', ['~* /admin']],
    ['/admin/?(.*)', ['~* /admin']],
    ['/admin/*', ['~* /admin']],
    ['/admin{0,1}/x', ['~* /admi']],
    ['/admin/(.*)', ['~ /admin']],
    ['/Admin/x+', ['~* /admin/x']],
    ['/xmlrpc\\.php$', ['~ /xmlrpc.php']],
    ['/(wp-login\\.php|xmlrpc\\.php)$', ['~ /wp-login.php', '~ /xmlrpc.php']],
    ['/admin.*', ['~* /admin']],
    ['/a/wp-(login|cron)', ['~* /a/wp-login', '~* /a/wp-cron']],
    ['/a(/|x)', ['~ /a', '~* /ax']],
    ['/(a|b)+/c', ['/']],
    ['/v[12]/x', ['~* /v1/x', '~* /v2/x']],
    ['/v+', ['~* /v']],
    ['/\\..*', ['~* /.']],
    ['/$', ['= /']],
    ['/(.*)', ['/']],
    ['/a|/b', ['/']],
    ['/(a|b)', ['~* /a', '~* /b']],
    ['/a\\(|/b', ['/']],
    ['/a[(]|/b', ['/']],
    [`/x${'(a|b)'.repeat(5)}`, ['~* /x']],
    ['^/admin', ['/']],
    ['/a//b', ['~ /a']],
  ])('%s', (pattern, expected) => {
    expect(guardsOfPattern(pattern).map(({ path }) => `${signs[path.match]}${path.path}`)).toEqual(expected);
  });

  test.each([
    ['/admin//x', '/admin'],
    ['/admin/../x', '/admin'],
    ['/a/b%2fc', '/a'],
    ['admin', '/'],
    [undefined, '/'],
    [`/a/${'x'.repeat(5000)}`, '/a'],
  ])('the elements of %s before the first that is at fault', (path, expected) => {
    expect(guardOfPath(path)).toEqual({ path: { match: 'prefix', path: expected }, wider: true });
  });
});
