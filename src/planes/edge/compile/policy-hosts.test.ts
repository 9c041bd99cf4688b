import { expect, test } from 'vitest';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { poolForTests } from '../../../../test/support/edge-pool.ts';
import { type Host, noBackend } from '../table.ts';
import { policyHosts } from './policy-hosts.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const yearMs = 365 * 86_400_000;
const facts = (names: readonly string[], more = {}) => ({
  notBeforeMs: nowMs - yearMs,
  notAfterMs: nowMs + yearMs,
  names,
  ...more,
});
const certificates = new Map([
  ['good', facts(['*.video.example'])],
  ['other', facts(['other.example'])],
  ['ended', facts(['www.video.example'], { notAfterMs: nowMs - 1000 })],
  ['early', facts(['www.video.example'], { notBeforeMs: nowMs + 1000 })],
]);
const host = (name: string, backends: readonly string[], more: Partial<Host> = {}): Host => ({
  name,
  paths: backends.map((backend, at) => ({ match: 'prefix', path: `/${at}`, backend })),
  ...more,
});
const www = 'www.video.example';
const refused = [{ refused: 'AccessAnnotation' }];

const lacksOf = (hosts: readonly Host[], ...names: readonly string[]) => {
  const [view] = policyHosts({
    platform: platformForTests({ hosts: names.length === 0 ? [www] : names }),
    pool: poolForTests(),
    hosts,
    ready: (key) => (key.startsWith('ready/') ? 2 : 0),
    certificates,
    nowMs,
  });
  return view;
};

test.each<[string, readonly Host[], readonly string[]]>([
  ['served, with its certificate', [host(www, ['ready/a/80'], { certificate: 'good' })], []],
  ['served by the wildcard', [host('*.video.example', ['ready/a/80'], { certificate: 'good' })], []],
  ['served by the host for any name', [host('', ['ready/a/80'], { certificate: 'good' })], []],
  ['not there', [host('other.example', ['ready/a/80'])], ['HostNotServed: no Ingress has it']],
  ['without any ready endpoint', [host(www, ['v/web/80'])], ['HostNotReady: no endpoint of Service v/web is ready']],
  ['with enough of them', [host(www, ['ready/a/80', 'v/web/80'])], []],
  [
    'with too few of them',
    [host(www, ['ready/a/80', 'v/a/80', 'v/b/80', 'v/b/81', 'v/c/80', 'v/d/80'])],
    ['HostNotReady: no endpoint of Service v/a, v/b, v/c and 1 more is ready'],
  ],
  ['that is only refused', [host(www, [noBackend])], ['HostNotServed: every path of it is refused']],
  [
    'whose only route answers 503',
    [{ name: www, paths: [{ match: 'prefix', path: '/', backend: 'ready/a/80', settings: 0 }], settings: refused }],
    ['HostNotServed: every path of it is refused'],
  ],
  ['with a default backend', [host(www, [], { defaultBackend: 'ready/a/80' })], []],
  [
    'whose certificate ended',
    [host(www, ['ready/a/80'], { certificate: 'ended' })],
    ['CertificateExpired: its certificate ended at 2026-05-31T23:59:59.000Z'],
  ],
  [
    'whose certificate begins later',
    [host(www, ['ready/a/80'], { certificate: 'early' })],
    ['CertificateNotYetValid: its certificate begins at 2026-06-01T00:00:01.000Z'],
  ],
  [
    'whose certificate is for others',
    [host(www, ['ready/a/80'], { certificate: 'other' })],
    ['CertificateHostMismatch: its certificate is not for www.video.example'],
  ],
])('a host %s', (_, hosts, wanted) => {
  const view = lacksOf(hosts);
  expect(view?.lacking.map(({ host: name, reason, message }) => `${name} ${reason}: ${message}`)).toEqual(
    wanted.map((one) => `${www} ${one}`),
  );
  expect(view?.count).toBe(wanted.length);
});

test('a host that has no certificate is named apart; the default one counts where it is for the host', () => {
  const plain = host(www, ['ready/a/80']);
  const anyHost = (certificate: string): Host => host('', [], { certificate });
  expect(lacksOf([plain])?.withoutCertificate).toEqual([www]);
  expect(lacksOf([plain, anyHost('other')])?.withoutCertificate).toEqual([www]);
  expect(lacksOf([plain, anyHost('good')])?.withoutCertificate).toEqual([]);
  expect(lacksOf([])?.withoutCertificate).toEqual([]);
});

test('of many hosts a hundred are named, and all are counted', () => {
  const names = Array.from({ length: 300 }, (_, index) => `h${index}.video.example`);
  const view = lacksOf([], ...names);
  expect([view?.policy, view?.lacking.length, view?.count]).toEqual(['video', 100, 300]);
});

test('a policy that does not name the cluster is not looked at', () => {
  const input = { platform: platformForTests(), hosts: [], ready: () => 0, certificates, nowMs };
  expect(policyHosts({ ...input, pool: poolForTests({ cluster: 'elsewhere' }) })).toEqual([]);
});
