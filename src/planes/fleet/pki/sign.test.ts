import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signAuthority } from '../../../runtime/x509/certificate.ts';
import type { PlannedCertificate } from '../compile/certificates.ts';
import { type OpenAuthority, type Pems, type SigningInput, signAll } from './sign.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const dayMs = 86_400_000;

function authority(name: string): OpenAuthority {
  const issuer = { name: { commonName: name }, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  const validity = { from: new Date(nowMs - dayMs), until: new Date(nowMs + 3650 * dayMs) };
  return { issuer, trusted: signAuthority(issuer, validity) };
}

const kubernetes = authority('paris-kubernetes');
const etcd = authority('paris-etcd');
const publicKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();

const kubelet: PlannedCertificate = {
  path: '/etc/kubernetes/kubelet/serving.crt',
  key: '/etc/kubernetes/kubelet/serving.key',
  authority: 'kubernetes',
  commonName: 'system:node:par-a-worker',
  organization: 'system:nodes',
  usages: ['server'],
  dnsNames: ['par-a-worker'],
  addresses: ['10.1.0.31', '2001:db8::31'],
};
const peer: PlannedCertificate = {
  path: '/etc/etcd/pki/peer.crt',
  key: '/etc/etcd/pki/peer.key',
  authority: 'etcd',
  commonName: 'par-a-master',
  usages: ['client', 'server'],
  dnsNames: ['par-a-master', 'localhost'],
  addresses: ['10.1.0.11', '127.0.0.1', '::1'],
};
const keys: ReadonlyMap<string, Pems> = new Map([
  ['par-a-worker', { [kubelet.key]: publicKey() }],
  ['par-a-master', { [peer.key]: publicKey() }],
]);

function input(change: Partial<SigningInput> = {}): SigningInput {
  return {
    planned: new Map([
      ['par-a-worker', [kubelet]],
      ['par-a-master', [peer]],
    ]),
    publicKeys: keys,
    present: new Map(),
    authorities: new Map([
      ['kubernetes', kubernetes],
      ['etcd', etcd],
    ]),
    nowMs,
    ...change,
  };
}
const said = ({ signed, refused }: ReturnType<typeof signAll>) =>
  [...signed, ...refused].map(({ server, reason }) => `${server} ${reason}`);
const first = signAll(input());

test('certificates say what the spec says, for the key of the server, under the authority of their purpose', () => {
  expect(said(first)).toEqual(['par-a-master CertificateMissing', 'par-a-worker CertificateMissing']);
  const read = new X509Certificate(first.certificates.get('par-a-worker')?.[kubelet.path] ?? '');
  expect(read.subject).toBe('O=system:nodes\nCN=system:node:par-a-worker');
  expect(read.subjectAltName).toBe('DNS:par-a-worker, IP Address:10.1.0.31, IP Address:2001:DB8:0:0:0:0:0:31');
  expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(read.ca).toBe(false);
  expect(read.verify(kubernetes.issuer.publicKey)).toBe(true);
  expect(read.verify(etcd.issuer.publicKey)).toBe(false);
  expect(read.publicKey.export({ type: 'spki', format: 'pem' })).toBe(keys.get('par-a-worker')?.[kubelet.key]);
});

test('what is signed stays until there is a reason', () => {
  const again = signAll(input({ present: first.certificates, nowMs: nowMs + 200 * dayMs }));
  expect(said(again)).toEqual([]);
  expect(again.certificates).toEqual(first.certificates);
});

test.each<[string, Partial<SigningInput>, readonly string[]]>([
  [
    'a third of its time is left',
    { nowMs: nowMs + 250 * dayMs },
    ['par-a-master CertificateEndsSoon', 'par-a-worker CertificateEndsSoon'],
  ],
  [
    'the server was set up anew',
    { publicKeys: new Map([...keys, ['par-a-worker', { [kubelet.key]: publicKey() }]]) },
    ['par-a-worker KeyChanged'],
  ],
  [
    'it has another address',
    { planned: new Map([['par-a-worker', [{ ...kubelet, addresses: ['10.1.0.32'] }]]]) },
    ['par-a-worker ContentChanged'],
  ],
  [
    'it is to have another use',
    { planned: new Map([['par-a-worker', [{ ...kubelet, usages: ['client', 'server'] }]]]) },
    ['par-a-worker ContentChanged'],
  ],
  [
    'the authority is another one',
    {
      authorities: new Map([
        ['kubernetes', authority('paris-kubernetes')],
        ['etcd', etcd],
      ]),
    },
    ['par-a-worker AuthorityChanged'],
  ],
  [
    'what is kept is broken',
    { present: new Map([...first.certificates, ['par-a-worker', { [kubelet.path]: 'half' }]]) },
    ['par-a-worker CertificateUnreadable'],
  ],
  [
    'the key is not there',
    { publicKeys: new Map([['par-a-master', keys.get('par-a-master') ?? {}]]) },
    ['par-a-worker KeyMissing'],
  ],
  ['the authority is not there', { authorities: new Map([['etcd', etcd]]) }, ['par-a-worker AuthorityMissing']],
])('%s', (_, change, expected) => {
  expect(said(signAll(input({ present: first.certificates, ...change })))).toEqual(expected);
});

test.each<[string, string]>([
  ['no key', 'hello'],
  [
    'a private key',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ],
  [
    'another curve',
    generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  ],
  [
    'a short RSA key',
    generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  ],
  ['a certificate', kubernetes.trusted],
])('what is not fit to be signed is refused, and what was signed stays: %s', (_, pem) => {
  const publicKeys = new Map([...keys, ['par-a-worker', { [kubelet.key]: pem }]]);
  const signing = signAll(input({ publicKeys, present: first.certificates }));
  expect(said(signing)).toEqual(['par-a-worker KeyUnfit']);
  expect(signing.certificates).toEqual(first.certificates);
});

test('a copied server gets nothing, and neither does the one that it was copied from', () => {
  const same = publicKey();
  const publicKeys = new Map([
    ['par-a-worker', { [kubelet.key]: same }],
    ['par-a-master', { [peer.key]: same }],
  ]);
  expect(said(signAll(input({ publicKeys })))).toEqual(['par-a-master KeyShared', 'par-a-worker KeyShared']);
});

test('a key that another server was signed for, in an earlier wave, is signed for nobody else', () => {
  const before = signAll(input());
  const same = keys.get('par-a-master')?.[peer.key] ?? '';
  const publicKeys = new Map([['par-a-worker', { [kubelet.key]: same }]]);
  const found = said(signAll(input({ publicKeys, present: before.certificates })));
  expect(found.filter((one) => one.includes('KeyShared'))).toEqual(['par-a-worker KeyShared']);
});

test('whatever servers hand in: they get the names of the spec and of themselves, or nothing', () => {
  const other = keys.get('par-a-master')?.[peer.key] ?? '';
  const handedIn = fc.dictionary(
    fc.constantFrom(kubelet.key, kubelet.path, '../key', 'authority', '__proto__'),
    fc.oneof(
      fc.string(),
      fc.constant(other),
      fc.constant(kubernetes.trusted),
      fc.constant(keys.get('par-a-worker')?.[kubelet.key] ?? ''),
    ),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('par-a-worker', 'par-a-master', 'stranger'), handedIn), (pems) => {
      const { certificates, signed } = signAll(input({ publicKeys: new Map(Object.entries(pems)) }));
      expect([...certificates.keys()]).toEqual(['par-a-master', 'par-a-worker']);
      for (const { server, pem } of signed) {
        const { subject } = new X509Certificate(pem);
        expect(subject).toBe(
          server === 'par-a-worker' ? 'O=system:nodes\nCN=system:node:par-a-worker' : 'CN=par-a-master',
        );
      }
    }),
    { numRuns: 60 },
  );
});
