import { describe, expect, it } from 'vitest';
import { etcdServer } from '../../../../test/support/salt/documents.ts';
import { neededBy, printedBy } from './ssh-script.ts';

describe('what a server printed', () => {
  it.each([
    ['nothing', '', { reached: false }],
    ['a banner alone', 'Welcome\n', { reached: false }],
    ['a start without an end', 'tideline-ssh begun\n{"local": true}\n', { reached: true }],
    [
      'an answer between words of others',
      'Welcome\ntideline-ssh begun\n{"local":\n true}\n\ntideline-ssh ended\nbye\n',
      { reached: true, answer: { lacks: [], text: '{"local":\n true}\n' } },
    ],
    [
      'files that it lacks',
      'tideline-ssh begun\ntideline-ssh lacks files/etcd\ntideline-ssh ended\n',
      { reached: true, answer: { lacks: ['files/etcd'], text: '' } },
    ],
  ])('is %s', (_, stdout, printed) => {
    expect(printedBy(stdout)).toEqual(printed);
  });
});

it('finds the files that Salt would have, and where a server may have them', () => {
  const document = etcdServer(
    { source: 'salt://files/etcd', bytes: 'etcd' },
    { source: 'https://example.net/cni.tgz', bytes: 'cni' },
  );
  expect(neededBy(document)).toEqual([
    {
      path: 'files/etcd',
      sha256: document.artifacts['etcd']?.sha256,
      installed: '/opt/tideline-fleet/etcd/3.6.8/etcd',
    },
  ]);
  const archive = etcdServer({ source: 'https://a', bytes: '' }, { source: 'salt://cni.tgz', bytes: 'cni' });
  const sha256 = archive.artifacts['cni-plugins']?.sha256;
  expect(neededBy(archive)).toEqual([
    {
      path: 'cni.tgz',
      sha256,
      unpacked: '/opt/tideline-fleet/cni-plugins/1.6.2 and more',
      sums: `/opt/tideline-fleet/sums/cni-plugins-${sha256}`,
    },
  ]);
});
