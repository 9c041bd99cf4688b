import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { signAuthority } from '../../runtime/x509/certificate.ts';
import { standingIn } from './check.ts';
import type { ServerDocument } from './compile/document.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-06-01T00:00:00Z');
const issuer = { name: { commonName: 'paris/etcd' }, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
/** A certificate with so many days behind it and so many left. */
const certificate = (gone: number, left: number): string =>
  signAuthority(issuer, { from: new Date(nowMs - gone * dayMs), until: new Date(nowMs + left * dayMs) });

const access = { user: 'etcd', group: 'etcd', mode: '0600' };
const standing = (authority: string | undefined, leaf: string | undefined) => {
  const pki: ServerDocument['pki'] = {
    keys: {},
    secrets: {},
    authorities: {
      '/ca': { ...access, authority: 'paris/etcd', ...(authority === undefined ? {} : { pem: authority }) },
    },
    certificates: {
      '/c': { ...access, key: '/k', authority: 'paris/etcd', ...(leaf === undefined ? {} : { pem: leaf }) },
    },
  };
  const documents = new Map([['one', { pki } as ServerDocument]]);
  return standingIn({ documents, secrets: new Map(), nowMs }).map(({ problem }) => problem);
};
const [longAuthority, longLeaf] = [certificate(3000, 650), certificate(100, 265)];

test.each<[string, string | undefined, string | undefined, readonly string[]]>([
  ['enough left of both', longAuthority, longLeaf, []],
  ['not signed', longAuthority, undefined, ['certificates are not signed']],
  ['less than a third left', longAuthority, certificate(250, 115), ['certificates end soon, or cannot be read']],
  ['a short life with 29 days left', longAuthority, certificate(1, 29), ['certificates end soon, or cannot be read']],
  ['no certificate at all', longAuthority, 'PEM', ['certificates end soon, or cannot be read']],
  ['no authority', undefined, longLeaf, ['there is no authority paris/etcd']],
  [
    'an authority of which less is left than what it signs would last',
    certificate(3300, 350),
    longLeaf,
    ['the authority paris/etcd ends soon'],
  ],
  ['an authority that ended', certificate(3650, -1), longLeaf, ['the authority paris/etcd has ended']],
])('%s', (_, authority, leaf, expected) => {
  expect(standing(authority, leaf)).toEqual(expected);
});
