import { expect, test } from 'vitest';
import { blade, silent, worker } from '../../test/support/snapshot.ts';
import type { Finding } from './finding.ts';
import { objectFindings, policyFindings } from './served-findings.ts';
import type { AgentPart, EdgePart } from './snapshot.ts';

const pool = { name: 'paris-edge', cluster: 'paris', vips: ['192.0.2.10'] };
const unready = { policy: 'video', healthy: false, reason: 'BelowThreshold', against: ['video/web/80'] };
const text = ({ severity, subject, what }: Finding): string => `${severity} ${subject} ${what}`;

const policies: readonly (readonly [string, readonly AgentPart[], readonly string[]])[] = [
  ['healthy', [blade('b1'), blade('b2'), worker('w1')], []],
  [
    'unhealthy on every blade: one outage of the cluster, with the Service that is to blame',
    [blade('b1', { policies: [unready] }), blade('b2', { policies: [unready] })],
    [
      'outage cluster paris is not healthy for policy video: no endpoint of Service video/web is ready (BelowThreshold); DNS leads users elsewhere',
    ],
  ],
  [
    'unhealthy on one blade',
    [blade('b1', { policies: [unready] }), blade('b2')],
    [
      'fault b1 answers that policy video is not healthy here: no endpoint of Service video/web is ready (BelowThreshold)',
    ],
  ],
  [
    'unhealthy on the blade that answers: what the other says is not known',
    [blade('b1', { policies: [{ ...unready, against: undefined }] }), silent('b2', 'edge')],
    ['fault b1 answers that policy video is not healthy here (BelowThreshold)'],
  ],
  [
    'out of reach: the first Services are named, and the others counted',
    ['b1', 'b2'].map((name) =>
      blade(name, {
        policies: [
          {
            policy: 'video',
            healthy: false,
            reason: 'BackendsUnreachable',
            against: ['a/a/80', 'a/a/81', 'b/b/80', 'c/c/80', 'd/d/80'],
          },
        ],
      }),
    ),
    [
      'outage cluster paris is not healthy for policy video: no connection is made to the endpoints of Service a/a, b/b, c/c and 1 more (BackendsUnreachable); DNS leads users elsewhere',
    ],
  ],
  [
    'drained on purpose',
    [
      blade('b1', { draining: true, policies: [{ policy: 'video', healthy: false, reason: 'ClusterDraining' }] }),
      blade('b2', { draining: true, policies: [{ policy: 'video', healthy: false, reason: 'ClusterDraining' }] }),
    ],
    [],
  ],
];

test.each(policies)('a policy that is %s', (_what, agents, wanted) => {
  expect(policyFindings(pool, agents).map(text)).toEqual(wanted);
});

type Condition = NonNullable<EdgePart['refused']>[number];

const condition = (object: string, ...reasons: readonly string[]): Condition => ({
  object,
  state: 'partial',
  problems: reasons.map((reason) => ({ reason, message: 'why' })),
});

test('an object that is not served as it is written is one finding, whichever blades say so; what users feel is a fault', () => {
  const web = condition('Ingress/video/web', 'AnnotationIgnored', 'CertificateExpired');
  const refused: Condition = { ...condition('Ingress/video/b', 'ServiceMissing'), state: 'refused' };
  const agents = [blade('b1', { refused: [web, refused] }), blade('b2', { refused: [web] }), worker('w1')];
  expect(objectFindings(agents).map(text)).toEqual([
    'fault Ingress/video/web of cluster paris is not served as it is written: why (CertificateExpired)',
    'warning Ingress/video/b of cluster paris is refused: why (ServiceMissing)',
  ]);
});

test('many objects of one reason are named by three and counted', () => {
  const many = ['a', 'b', 'c', 'd', 'e'].map((name) => condition(`Ingress/video/${name}`, 'AnnotationIgnored'));
  const found = objectFindings([blade('b1', { refused: [...many, condition('Ingress/x/y', 'PathInvalid')] })]);
  expect(found.map(({ subject }) => subject)).toEqual([
    'Ingress/video/a',
    'Ingress/video/b',
    'Ingress/video/c',
    'cluster paris',
    'Ingress/x/y',
  ]);
  expect(found[3]?.what).toBe('has 2 more of these (AnnotationIgnored)');
});

test('a blade of an older version, which names no object, is not asked for more', () => {
  expect(objectFindings([blade('b1', { conditions: { accepted: 0, partial: 1, refused: 0 } })])).toEqual([]);
});
