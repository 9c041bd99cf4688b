import { describe, expect, test } from 'vitest';
import { blade, down, silent, takenAtMs, target, up, worker } from '../../test/support/snapshot.ts';
import { severities } from './finding.ts';
import { findingsOf } from './findings.ts';
import { seenReasons } from './reasons.ts';
import type { AgentPart, Snapshot } from './snapshot.ts';
import { renderStatus } from './text.ts';

function snapshot(agents: readonly AgentPart[], change: Partial<Snapshot> = {}): Snapshot {
  const pools = [{ name: 'paris-edge', cluster: 'paris', vips: ['192.0.2.10'] }];
  return { takenAtMs, clusters: [{ name: 'paris' }], pools, agents, drains: [], ...change };
}

const unfit = (reason: string) => [{ address: '192.0.2.10', fit: false, announced: false, reasons: [reason] }];
const stale = { phase: 'stale' as const, sinceMs: takenAtMs - 120_000, reason: 'SourceUnreachable' };

const cases: readonly (readonly [string, Snapshot, readonly string[]])[] = [
  ['all well', snapshot([blade('b1'), blade('b2'), worker('w1')]), []],
  [
    'an edit that waits before it takes what is announced',
    snapshot([
      blade('b1', { notices: [{ subject: '192.0.2.9', reason: 'PoolEditWaits', message: 'until noon' }] }),
      worker('w1', {
        notices: [
          { subject: '10.10.1.0/26', reason: 'SiteEditWaits', message: 'it waits' },
          { subject: '10.10.1.0/26', reason: 'PoolMissing', message: 'no pool' },
        ],
      }),
    ]),
    [
      'warning b1 still announces 192.0.2.9: until noon (PoolEditWaits)',
      'warning w1 still announces 10.10.1.0/26: it waits (SiteEditWaits)',
      'warning w1 announces 10.10.1.0/26 all the same: no pool (PoolMissing)',
    ],
  ],
  [
    'a certificate that ended, before what the cluster lacks by that',
    snapshot([
      blade('b1', {
        refused: [
          {
            object: 'Ingress/video/web',
            state: 'partial',
            problems: [{ reason: 'CertificateExpired', message: 'it ended' }],
          },
        ],
        policyHosts: [
          {
            policy: 'video',
            lacking: [{ host: 'www.video.example', reason: 'CertificateExpired', message: 'it ended' }],
            count: 1,
            withoutCertificate: [],
          },
        ],
      }),
      worker('w1'),
    ]),
    [
      'fault Ingress/video/web of cluster paris is not served as it is written: it ended (CertificateExpired)',
      'fault cluster paris lacks www.video.example of TrafficPolicy/video: it ended (CertificateExpired); renew the Secret that its Ingress names there',
    ],
  ],
  [
    'packets to pods that another program takes, which agents announce all the same; many of a kind are counted',
    snapshot([
      blade('b1'),
      worker('w1', {
        notices: [
          ...[1, 2, 3, 4, 5].map((each) => ({
            subject: `10.10.${each}.0/26`,
            reason: 'PoolMissing',
            message: 'no pool',
          })),
          { subject: '10.10.1.0/26', reason: 'RuleShadows', message: 'the ip rule of priority 100' },
        ],
      }),
    ]),
    [
      'fault w1 sends packets to 10.10.1.0/26 elsewhere: the ip rule of priority 100 (RuleShadows)',
      'warning w1 announces 10.10.1.0/26 all the same: no pool (PoolMissing)',
      'warning w1 announces 10.10.2.0/26 all the same: no pool (PoolMissing)',
      'warning w1 announces 10.10.3.0/26 all the same: no pool (PoolMissing)',
      'warning w1 has 2 more of these (PoolMissing)',
    ],
  ],
  [
    'statuses that other controllers write, which the blade that leads says',
    snapshot([
      blade('b1', {
        publishing: {
          leading: true,
          ownedByOther: ['shop/a', 'shop/b', 'shop/c', 'shop/d', 'shop/e'].map((key) => `Ingress/${key}`),
          contested: ['Ingress/shop/e'],
        },
      }),
      blade('b2', { publishing: { leading: false, ownedByOther: ['Ingress/shop/a'], contested: [] } }),
    ]),
    [
      'warning b1 does not write the status of Ingress/shop/e, which another controller writes again whenever it is taken over (StatusContested)',
      'warning b1 does not write the status of Ingress/shop/a, Ingress/shop/b, Ingress/shop/c and 1 more, which another field manager owns (OwnedByOther)',
    ],
  ],
  [
    'an address of a VIP that left',
    snapshot([blade('b1', { notices: [{ subject: '192.0.2.9', reason: 'VipAddressLeft', message: 'remove it' }] })]),
    ['warning b1 still has the address 192.0.2.9: remove it (VipAddressLeft)'],
  ],
  [
    'versions and specs that differ; agents that say neither are of an older version',
    snapshot([
      ...['b1', 'b2', 'b3'].map((name) =>
        blade(name, { version: '0.2.0', platform: { phase: 'current', digest: 'aaaa' } }),
      ),
      blade('b4', { version: '0.1.0', platform: { phase: 'current', digest: 'aaaa' } }),
      worker('w1', { version: '0.2.0', platform: { phase: 'current', digest: 'bbbb' } }),
      worker('w2'),
    ]),
    [
      'warning the version differs between agents: 0.2.0 on 4; 0.1.0 on b4',
      'warning the platform spec of cluster paris differs between agents: aaaa on 4; bbbb on w1',
    ],
  ],
  [
    'routes that yield now, or did',
    snapshot([
      blade('b1', {
        bgp: {
          refusals: [],
          relay: 'synced',
          neighbors: [up],
          yielded: { sinceMs: takenAtMs - 120_000, untilMs: takenAtMs },
        },
      }),
      worker('w1', { yielded: { sinceMs: takenAtMs - 120_000 } }),
      worker('w2', { yielded: { sinceMs: takenAtMs - 120_000, asked: true } }),
    ]),
    [
      'warning w1 has routes that yield to other servers, because no agent was heard (RoutesYield) since 14:00:51',
      'warning w2 has routes that yield to other servers, because the agent cannot read its cluster (RoutesYield) since 14:00:51',
    ],
  ],
  [
    'a VIP that nobody announces',
    snapshot([
      blade('b1', { vips: unfit('NginxUnreachable') }),
      blade('b2', { bgp: { refusals: [], relay: 'synced', neighbors: [down] }, vips: unfit('AddressMissing') }),
    ]),
    [
      'outage VIP 192.0.2.10 of pool paris-edge is announced by nobody (b1: NginxUnreachable; b2: AddressMissing, no BGP session)',
      'fault b2 has no BGP session (10.1.0.1: hold timer expired) since 14:02:11',
    ],
  ],
  [
    'a VIP of which the only blade that may have it is silent',
    snapshot([blade('b1', { vips: unfit('NginxUnreachable') }), silent('b2', 'edge')]),
    [
      'fault b2 cannot be reached',
      'unknown VIP 192.0.2.10 of pool paris-edge may be announced or not: 1 of 2 blades do not answer, the others do not announce it',
    ],
  ],
  [
    'a VIP that is announced for want of a fit blade',
    snapshot([
      blade('b1', {
        vips: [{ address: '192.0.2.10', fit: false, announced: true, reasons: ['NginxUnreachable', 'LastAnnouncer'] }],
      }),
    ]),
    [
      'fault VIP 192.0.2.10 of pool paris-edge is announced only because nobody fit is left (b1: NginxUnreachable, LastAnnouncer)',
    ],
  ],
  [
    'a dead site beside a living one',
    snapshot([
      silent('b1', 'edge'),
      silent('w1', 'network'),
      { ...worker('w9'), target: target('w9', 'network', 'newyork') },
    ]),
    [
      'outage site paris is silent as seen from here: none of its 2 agents answers (cannot be reached)',
      'unknown VIP 192.0.2.10 of pool paris-edge may be announced or not: no blade answers',
    ],
  ],
  [
    'nobody who answers: nothing is known',
    snapshot([silent('b1', 'edge'), silent('w1', 'network')]),
    [
      'unknown no agent answers here: none of 2 (cannot be reached); this machine may not reach them, so nothing is known',
    ],
  ],
  [
    'a cluster that all its agents have lost',
    snapshot([blade('b1', { source: stale }), worker('w1', { source: stale })]),
    [
      'fault cluster paris is read by none of its 2 agents (SourceUnreachable); what they knew stays in force since 14:00:51',
    ],
  ],
  [
    'a cluster that one agent has lost',
    snapshot([blade('b1'), worker('w1', { source: stale })]),
    ['fault cluster paris is read not by w1 (SourceUnreachable); what they knew stays in force since 14:00:51'],
  ],
  [
    'an agent that knows no BGP session',
    snapshot([blade('b1'), worker('w1', { neighbors: [] })]),
    ['fault w1 knows no BGP session'],
  ],
  [
    'an nginx that refuses a table',
    snapshot([blade('b1', { tableRefused: 'no memory' })]),
    ['fault b1 has an nginx that refused the newest table: no memory'],
  ],
  [
    'an ExaBGP that hangs',
    snapshot([blade('b1'), worker('w1', { relay: 'exabgpSilent' })]),
    ['fault w1 has no ExaBGP that answers (exabgpSilent)'],
  ],
  [
    'routes that are held',
    snapshot([blade('b1'), worker('w1', { action: 'hold', reason: 'DatastoreNotReady', wanted: [] })]),
    ['fault w1 holds its routes as they are (DatastoreNotReady)'],
  ],
  [
    'a route that is wanted and not announced',
    snapshot([blade('b1'), worker('w1', { announced: [] })]),
    ['fault w1 does not announce 10.10.1.0/26, which it wants to'],
  ],
  [
    'a blade without nginx, an unhealthy policy, refused objects',
    snapshot([
      blade('b1', {
        nginx: undefined,
        policies: [{ policy: 'video', healthy: false, reason: 'BelowThreshold' }],
        conditions: { accepted: 1, partial: 2, refused: 3 },
      }),
      blade('b2'),
    ]),
    [
      'fault b1 has no nginx that answers',
      'fault b1 answers that policy video is not healthy here (BelowThreshold)',
      'warning b1 serves 2 objects in part and refuses 3',
    ],
  ],
  [
    'credentials that end, a spec that cannot be read',
    snapshot([
      blade('b1', {
        credentials: { endsAtMs: takenAtMs, endsWithinDays: 7 },
        platform: { phase: 'invalid', message: 'a.yaml:3: no' },
      }),
    ]),
    [
      'warning b1 cannot read the newest platform spec, the last good one is in force: a.yaml:3: no',
      'warning b1 has credentials for its cluster that end within 7 days',
    ],
  ],
  [
    'a blade that cannot serve a VIP, while another does',
    snapshot([
      blade('b1', { vips: unfit('ProbeFailed') }),
      blade('b2'),
      blade('b3', { vips: [{ address: '192.0.2.10', fit: true, announced: false, reasons: [] }] }),
    ]),
    [
      'fault b1 cannot serve VIP 192.0.2.10: ProbeFailed',
      'fault b3 does not announce VIP 192.0.2.10 to any router, though it could serve it',
    ],
  ],
  [
    'a VIP whose route is refused, and one that is not on the host',
    snapshot([
      blade('b1', {
        bgp: {
          relay: 'synced',
          neighbors: [up],
          refusals: [{ prefix: '192.0.2.10/32', reason: 'NotAllowed', message: 'outside the site' }],
        },
        vips: [{ address: '192.0.2.10', fit: true, announced: false, reasons: [] }],
      }),
      blade('b2', { vipsMissing: { '192.0.2.10': 'no permission' } }),
      blade('b3'),
    ]),
    [
      'fault b1 cannot serve VIP 192.0.2.10: outside the site (NotAllowed)',
      'fault b2 cannot serve VIP 192.0.2.10: no permission',
    ],
  ],
  [
    'a pool that is drained as a whole',
    snapshot([
      blade('b1', {
        draining: true,
        vips: [{ address: '192.0.2.10', fit: false, announced: true, reasons: ['Draining', 'LastAnnouncer'] }],
      }),
    ]),
    [
      'note VIP 192.0.2.10 of pool paris-edge stays announced while all its blades are drained, because no other is left',
    ],
  ],
  [
    'nobody who could be asked',
    snapshot([]),
    ['unknown the platform has no agent that could be asked: no blade, and no worker that a cluster lists'],
  ],
  [
    'workers that cannot be asked',
    snapshot([blade('b1')], { clusters: [{ name: 'paris', unplaced: ['w1', 'w2'] }] }),
    [
      "unknown cluster paris has workers that cannot be asked, because their Nodes name no internal address inside the servers' prefixes of a Site: w1, w2 (WorkersUnplaced)",
    ],
  ],
  [
    'a drain, and a cluster whose workers are not known',
    snapshot([blade('b1')], {
      clusters: [{ name: 'paris', problem: 'Forbidden' }],
      drains: [{ name: 'd', target: 'Blade/b2', reason: 'disk', expires: '2026-11-28T00:00:00Z' }],
    }),
    [
      'unknown cluster paris has workers that are not known here, so their agents are not asked: Forbidden (WorkersUnknown)',
      'note Blade/b2 is drained until 2026-11-28T00:00:00Z by Drain/d: disk',
    ],
  ],
];

test.each(cases)('%s', (_what, given, wanted) => {
  const said = findingsOf(given).map(({ severity, subject, what, sinceMs }) =>
    [
      severity,
      subject,
      what,
      ...(sinceMs === undefined ? [] : ['since', new Date(sinceMs).toISOString().slice(11, 19)]),
    ].join(' '),
  );
  expect(said).toEqual(wanted);
});

test('every reason why something is not known is given', () => {
  const said = cases.flatMap(([, , wanted]) => wanted).join();
  for (const reason of Object.keys(seenReasons)) expect(said).toContain(`(${reason})`);
});

describe('the screen', () => {
  test.each(cases)('has the worst of "%s" in its first line', (_what, given) => {
    const [first = ''] = renderStatus(given);
    const worst = findingsOf(given).find(({ severity }) => severity !== 'note');
    expect(first).toContain(worst === undefined ? 'all well' : `${worst.subject} ${worst.what}`.slice(0, 90));
    expect(first.length).toBeLessThanOrEqual(160);
  });

  test('fits 80 x 24 with more findings than it has lines, and counts what it leaves out', () => {
    const agents = Array.from({ length: 60 }, (_, index) => worker(`w${index}`, { relay: 'silent' }));
    const lines = renderStatus(snapshot([blade('b1'), ...agents]), { columns: 80, rows: 24 });
    expect(lines.length).toBe(24);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const shown = lines.filter((line) => line.startsWith('  fault')).length;
    expect(lines.join('\n')).toContain(`... and ${59 - shown} more`);
  });

  test.each([20, 40, 80])('cuts no word at a width of %i', (columns) => {
    const given = snapshot([blade('b1'), worker('w0', { relay: 'silent' }), worker('w1', { relay: 'silent' })]);
    const words = (lines: readonly string[]) => lines.join(' ').split(/ +/);
    expect(words(renderStatus(given, { columns }))).toEqual(words(renderStatus(given)));
  });

  test('orders findings from the worst to the least', () => {
    for (const [, given] of cases) {
      const order = findingsOf(given).map(({ severity }) => severities.indexOf(severity));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
  });
});
