import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
function tideline(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('a valid platform is counted, exit code 0', () => {
  expect(tideline('check', 'examples/hybrid')).toEqual({
    status: 0,
    stdout: 'ok: 5 sites, 3 clusters, 2 edge pools, 1 traffic policy, 0 drains\n',
    stderr: '',
  });
});

test('a bad platform is explained on standard error, exit code 2, no stack trace', () => {
  const { status, stdout, stderr } = tideline('check', 'examples/hybrid/clusters.yaml', 'nowhere.yaml');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(
    'examples/hybrid/clusters.yaml:6: Cluster/paris spec.sites[0]: there is no Site "paris" (UnknownName)\n',
  );
  expect(stderr).toContain('nowhere.yaml: no such file or folder (FileMissing)\n    fix: check the path\n');
  expect(stderr).toMatch(/\n6 problems in 2 files\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test('--output json prints the same for programs', () => {
  const good = tideline('check', '--output', 'json', 'examples/hybrid');
  expect(good.status).toBe(0);
  expect(JSON.parse(good.stdout)).toEqual({
    ok: true,
    counts: {
      sites: 5,
      clusters: 3,
      edgePools: 2,
      policies: 1,
      drains: 0,
      freezes: 0,
      overlays: 0,
      verdicts: 0,
      servers: 0,
      fleets: 0,
      scalingTargets: 0,
    },
    problems: [],
    warnings: [],
  });
  const bad = tideline('check', '--output', 'json', 'nowhere.yaml');
  expect(bad.status).toBe(2);
  expect(JSON.parse(bad.stdout)).toEqual({
    ok: false,
    problems: [
      { reason: 'FileMissing', file: 'nowhere.yaml', message: 'no such file or folder', fix: 'check the path' },
    ],
    warnings: [],
  });
});

test.each([[['check']], [['check', '--output', 'xml', 'examples/hybrid']], [['check', '--nonsense', 'x']]])(
  'wrong arguments are a message, exit code 2: %j',
  (args) => {
    const { status, stderr } = tideline(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: /);
    expect(stderr).not.toMatch(/\n\s+at /);
  },
);

/** A line that a terminal shows as one of ours, and one that it obeys. */
const forged = 'x\nok: 5 sites, 3 clusters\u001b[2J\u009b1A\u202e\u2028';
const onOneLine = 'x\\nok: 5 sites, 3 clusters\\u001b[2J\\u009b1A\\u202e\\u2028';
// oxlint-disable-next-line no-control-regex -- the pattern looks for control characters
const controls = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

test('a name that somebody wrote into the spec, or into a file name, forges no line and moves no cursor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tideline-check-'));
  try {
    const site = (name: string) => ({
      apiVersion: 'tideline.dev/v1alpha1',
      kind: 'Site',
      metadata: { name },
      spec: {},
    });
    const file = join(folder, `${forged}.json`);
    writeFileSync(file, JSON.stringify(site(forged)));
    for (const output of ['text', 'json']) {
      const { status, stdout, stderr } = tideline('check', folder, '--output', output);
      expect(status).toBe(2);
      expect(`${stdout}${stderr}`).not.toMatch(controls);
      expect(`${stdout}${stderr}`).not.toMatch(/^ok/m);
      if (output === 'text') expect(stderr).toContain(`Site/${onOneLine}`);
      else
        expect(JSON.parse(stdout)).toMatchObject({
          problems: expect.arrayContaining([expect.objectContaining({ file, object: `Site/${forged}` })]),
        });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  ['an option', ['check', `--${forged}`]],
  ['a command', [forged]],
  ['a file', ['check', forged]],
  ['a host', ['explain', forged, 'FR', 'examples/hybrid']],
  ['the name of a cluster', ['check', '--cluster', forged, 'examples/hybrid']],
])('%s on the command line forges no line either', (_, args) => {
  const { status, stdout, stderr } = tideline(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).not.toMatch(controls);
  expect(stderr).not.toMatch(/^ok/m);
  expect(stderr).toContain(onOneLine);
});

describe('a folder of Ingresses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'check-ingresses-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const ingress = (name: string, className: string, annotations: string): string => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: shop
  annotations: { ${annotations} }
spec:
  ingressClassName: ${className}
  rules:
    - host: ${name}.example
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
---
`;
  const prefix = 'nginx.ingress.kubernetes.io';

  test('is told beforehand what becomes of it, whatever the class', () => {
    writeFileSync(
      join(folder, 'shop.yaml'),
      ingress('members', 'nginx', `${prefix}/auth-type: basic`) +
        ingress('plain', 'nginx', 'a.example/b: c') +
        ingress('rewritten', 'tideline', `${prefix}/rewrite-target: /$1`),
    );
    const { status, stdout, stderr } = tideline('check', folder);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.replaceAll(`${folder}/`, '')).toBe(
      `warning: shop.yaml:1: Ingress/shop/members metadata.annotations[${prefix}/auth-type]: auth-type limits access: an annotation limits access in a way that is not supported; the routes of the Ingress answer 503 (AccessAnnotationUnsupported)
    fix: limit access in the application and remove the annotation, or let the operator set ignoreAccessAnnotations in the pool
warning: shop.yaml:24: Ingress/shop/rewritten metadata.annotations[${prefix}/rewrite-target]: rewrite-target is not supported: the annotation of ingress-nginx is not supported; the route is served without it (AnnotationIgnored)
    fix: remove it when the application does not need it; docs/reference/annotations.md lists what is supported
ok: 3 Ingresses
`,
    );
  });

  test('is judged as a whole: what one does to another is said of the other', () => {
    const beside = mkdtempSync(join(tmpdir(), 'check-siblings-'));
    const web = ingress('web', 'nginx', 'a.example/b: c');
    const admin = ingress('web', 'nginx', `${prefix}/auth-tls-secret: shop/ca`);
    writeFileSync(join(beside, 'web.yaml'), web);
    writeFileSync(join(beside, 'admin.yaml'), admin.replace('name: web', 'name: admin').replace('/,', '/admin,'));
    const { status, stdout } = tideline('check', beside);
    rmSync(beside, { recursive: true });
    expect(status).toBe(0);
    expect(stdout).toContain(
      'web.yaml:1: Ingress/shop/web spec.rules: routes of web.example are refused because of Ingress',
    );
    expect(stdout).toContain('(AccessSiblingRefused)');
  });

  test('beside a platform is judged by the pools of its classes', () => {
    const { status, stdout } = tideline('check', '--output', 'json', folder, 'examples/hybrid');
    expect(status).toBe(0);
    const { warnings } = JSON.parse(stdout) as { warnings: readonly { readonly object: string }[] };
    expect(warnings.map(({ object }) => object)).toEqual(['Ingress/shop/rewritten']);
  });
});
