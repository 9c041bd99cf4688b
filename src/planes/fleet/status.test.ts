import { expect, it } from 'vitest';
import { fleetPlatform, shippedUnits } from '../../../test/support/fleet.ts';
import { compileFleet } from './compile/compile.ts';
import type { Called } from './run/reach.ts';
import { statusOf } from './status.ts';

const { documents } = compileFleet(fleetPlatform(), shippedUnits());
const day = 86_400;
const well = (server: string): Called => ({
  value: {
    versions: Object.fromEntries(
      Object.entries(documents.get(server)?.artifacts ?? {}).map(([name, { version }]) => [name, version]),
    ),
    failed: [],
    stale: {},
    reboot: false,
    certificates: { '/a.crt': 300 * day },
  },
});

it('finds nothing at servers that are as the spec says', () => {
  const answers = new Map([...documents.keys()].map((server) => [server, well(server)]));
  const status = statusOf({ documents, pending: new Set(), answers, nowMs: 0 });
  expect(status.map(({ server }) => server)).toEqual([...documents.keys()].toSorted());
  expect(status.every(({ problems, certificateDays }) => problems.length === 0 && certificateDays === 300)).toBe(true);
});

it('says what is not as it should be, and of a silent server only that', () => {
  const answers = new Map<string, Called>([
    ['site0-control0', { silent: true }],
    ['site0-control1', { error: 'no document' }],
    [
      'site0-worker0000',
      {
        value: {
          versions: { kubelet: '1.35.0', runc: null },
          failed: ['kubelet.service'],
          stale: { 'etcd.service': '/etc/etcd/ca.crt' },
          reboot: true,
          certificates: { '/a.crt': 300 * day, '/b.crt': 9 * day },
        },
      },
    ],
  ]);
  const status = statusOf({ documents, pending: new Set(['site0-control0']), answers, nowMs: 0 });
  const of = (server: string) => status.find((one) => one.server === server);
  expect(of('site0-control0')).toEqual({
    server: 'site0-control0',
    problems: ['does not answer', 'has not got its document'],
  });
  expect(of('site0-control1')?.problems).toEqual(['cannot say how it is: no document']);
  expect(of('site0-worker0000')).toEqual({
    server: 'site0-worker0000',
    problems: [
      'has kubelet 1.35.0 instead of 1.36.3',
      'has runc not at all instead of 1.3.0',
      'does not run kubelet.service',
      'runs etcd.service with an older /etc/etcd/ca.crt',
      'waits for a reboot',
      'has a certificate that ends in 9 days',
    ],
    certificateDays: 9,
  });
});
