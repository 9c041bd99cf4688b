import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { drain } from '../../../test/support/platform.ts';
import {
  blade,
  type Change,
  dns,
  down,
  france,
  health,
  host,
  platform,
  pod,
  prefix,
  reading,
  routes,
  snapshot,
  up,
  well,
  wholeHost,
} from '../../../test/support/why-evidence.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { Chain } from './chain.ts';
import type { Evidence, RouteReading } from './evidence.ts';
import { answer, type Question } from './questions.ts';
import { type WhyReason, whyReasons } from './reasons.ts';

const ask = (question: Question, change: Partial<Evidence> = {}, spec: Platform = platform): Chain =>
  answer(spec, { ...well, ...change }, question);

const stale = { phase: 'stale' as const, sinceMs: 0, reason: 'SourceUnreachable', message: 'connection refused' };

const both = (change: Change) => ({ 'paris-blade-1': change, 'paris-blade-2': change });
const parisSilent = Object.fromEntries(
  ['paris-blade-1', 'paris-blade-2', 'paris-worker-1', 'paris-worker-2'].map((name) => [name, 'cannot be reached']),
);
const silentEntry = { healthy: false, answered: false, problem: 'nothing within 3 s' } as const;

const ended = { reason: 'CertificateExpired', message: 'Secret video/tls ended' };

/** Each: what is asked, what is changed, the hop, the reason, and what it must say. */
const faults: readonly (readonly [Question, Partial<Evidence>, string, WhyReason, RegExp, Platform?])[] = [
  [france, { dns: dns('FR', []) }, 'DNS answer', 'AnswerEmpty', /NXDOMAIN/],
  [france, { dns: dns('FR', ['192.0.2.99']) }, 'DNS answer', 'AnswerForeign', /192\.0\.2\.99/],
  [france, { dns: dns('FR', ['198.51.100.10']) }, 'DNS answer', 'AnswerDiffers', /is newyork .* wants paris$/],
  [france, { dns: dns('FR', ['203.0.113.10']) }, 'DNS answer', 'AnswerDiffers', /is cloud .* wants paris$/],
  [
    france,
    {
      dns: dns('FR', ['203.0.113.10']),
      health: health({ paris: silentEntry }),
      snapshot: snapshot(parisSilent),
      routes: routes(({ blade: name, pool, path }) => ({
        blade: name,
        pool,
        host,
        path,
        problem: 'cannot be reached',
      })),
    },
    'health',
    'EntrySilent',
    /cluster paris|none of its 4 agents answers/,
  ],
  [
    france,
    {
      dns: dns('FR', ['203.0.113.10']),
      health: health({ paris: { healthy: false, answered: true, problem: 'answers 503 to the health check' } }),
      snapshot: snapshot(both({ policies: [{ policy: 'video', healthy: false, reason: 'ClusterDraining' }] })),
    },
    'health',
    'HealthFailing',
    /paris-blade-1: ClusterDraining/,
  ],
  [
    france,
    {
      health: health({ paris: silentEntry }),
      dns: dns('FR', ['203.0.113.10']),
      snapshot: snapshot(
        both({ vips: [{ address: '192.0.2.10', fit: false, announced: false, reasons: ['ProbeFailed'] }] }),
      ),
    },
    'VIP',
    'VipUnserved',
    /paris-blade-1: ProbeFailed; paris-blade-2: ProbeFailed/,
  ],
  [
    wholeHost,
    {
      snapshot: snapshot(
        both({
          vips: [{ address: '192.0.2.10', fit: true, announced: false, reasons: [] }],
          bgp: { refusals: [], relay: 'synced', neighbors: [down] },
        }),
      ),
    },
    'announced by',
    'VipNotAnnounced',
    /no BGP session \(10\.1\.0\.1: hold timer expired\)/,
  ],
  [
    wholeHost,
    { snapshot: snapshot({ 'paris-blade-2': { source: stale } }) },
    'cluster',
    'ClusterNotRead',
    /paris-blade-2 \(SourceUnreachable: connection refused\)/,
  ],
  [
    wholeHost,
    { snapshot: snapshot({ 'paris-blade-1': { tableRefused: 'too large' } }) },
    'nginx',
    'TableRefused',
    /too large/,
  ],
  [
    wholeHost,
    { snapshot: snapshot({ 'paris-blade-1': { platform: { phase: 'invalid', message: 'bad line 3' } } }) },
    'spec',
    'SpecNotRead',
    /bad line 3/,
  ],
  [
    wholeHost,
    {
      routes: routes({
        refused: 'HostUnknown',
        faulty: [
          {
            object: 'Ingress/video/web',
            problems: [{ reason: 'PathConflict', message: 'the path is taken', fix: 'choose another' }],
          },
        ],
      }),
    },
    'rule',
    'HostUnknown',
    /Ingress\/video\/web: the path is taken \(PathConflict\)/,
  ],
  [wholeHost, { routes: routes({ refused: 'PathUnknown' }) }, 'rule', 'PathUnknown', /do not take it/],
  [
    wholeHost,
    { routes: routes({ refused: 'AccessAnnotationUnsupported' }) },
    'rule',
    'RuleRefused',
    /503 \(AccessAnnotationUnsupported\)/,
  ],
  [
    wholeHost,
    {
      routes: routes((part) =>
        part.blade === 'paris-blade-2' && 'answer' in part
          ? { ...part, answer: { ...part.answer, refused: 'HostUnknown' } }
          : part,
      ),
    },
    'rule',
    'RulesDiffer',
    /paris-blade-2: HostUnknown/,
  ],
  [
    wholeHost,
    {
      routes: routes({
        refused: 'NoEndpoints',
        backend: { service: 'video/web', port: '81', exists: false, ready: 0, total: 0, endpoints: [], problems: [] },
      }),
    },
    'Service',
    'ServiceMissing',
    /no TCP port 81/,
  ],
  [
    wholeHost,
    {
      routes: routes({
        faulty: [{ object: 'Ingress/video/web', problems: [ended] }],
      }),
    },
    'certificate',
    'CertificateFaulty',
    /browsers refuse: Secret video\/tls ended \(CertificateExpired\)$/,
  ],
  [
    wholeHost,
    {
      routes: routes({
        refused: 'NoEndpoints',
        backend: {
          service: 'video/web',
          port: '80',
          exists: true,
          ready: 0,
          total: 0,
          endpoints: [],
          problems: [{ reason: 'EndpointOutsidePods', message: '8.8.8.8 is no pod' }],
        },
      }),
    },
    'endpoints',
    'NoEndpoints',
    /8\.8\.8\.8 is no pod \(EndpointOutsidePods\)/,
  ],
  [
    wholeHost,
    {
      routes: routes({
        backend: { ...(reading.backend as NonNullable<RouteReading['backend']>), ready: 0, endpoints: [] },
      }),
    },
    'endpoints',
    'NoReadyEndpoints',
    /none of which is ready/,
  ],
  [
    wholeHost,
    { snapshot: snapshot({ 'paris-worker-2': 'cannot be reached' }) },
    'worker',
    'WorkerSilent',
    /paris-worker-2: cannot be reached; 1 of 2 endpoints are concerned, 10\.10\.2\.1 first/,
  ],
  [
    blade,
    { snapshot: snapshot({ 'paris-blade-1': 'cannot be reached' }) },
    'blade',
    'BladeSilent',
    /cannot be reached$/,
  ],
  [blade, { snapshot: snapshot(parisSilent) }, 'blade', 'BladeSilent', /none of the 4 agents of site paris answers/],
  [
    blade,
    {},
    'spec',
    'BladeDrained',
    /Drain\/blade-paris-blade-1 of Blade/,
    { ...platform, drains: new Map([['d', drain('Blade', 'paris-blade-1', '2027-01-01T00:00:00Z')]]) },
  ],
  [
    blade,
    { snapshot: snapshot({ 'paris-blade-1': { fault: 'NginxUnreachable' } }) },
    'nginx',
    'BladeUnfit',
    /NginxUnreachable/,
  ],
  [
    blade,
    {
      snapshot: snapshot({
        'paris-blade-1': {
          vips: [{ address: '192.0.2.10', fit: false, announced: true, reasons: ['ProbeFailed', 'LastAnnouncer'] }],
        },
      }),
    },
    'VIP',
    'VipUnfit',
    /ProbeFailed, LastAnnouncer/,
  ],
  [
    blade,
    {
      snapshot: snapshot({
        'paris-blade-1': {
          vips: [{ address: '192.0.2.10', fit: true, announced: false, reasons: [] }],
          bgp: {
            relay: 'synced',
            neighbors: [up],
            refusals: [{ prefix: '192.0.2.10/32', reason: 'PrefixOutsideSite', message: 'not inside' }],
          },
        },
      }),
    },
    'announced by',
    'VipNotAnnounced',
    /not inside \(PrefixOutsideSite\)/,
  ],
  [
    pod,
    { pods: [{ cluster: 'paris', pods: [{ name: 'video/web-1', node: 'paris-worker-2' }] }] },
    'block',
    'RouteElsewhere',
    /led to paris-worker-1 by 10\.10\.1\.0\/26, and its Pod is on paris-worker-2$/,
  ],
  [pod, { pods: [{ cluster: 'paris', pods: [] }] }, 'pod', 'PodMissing', /no Pod/],
  [{ kind: 'pod', address: { family: 4, text: '8.8.8.8' } }, {}, 'spec', 'AddressOutsideSites', /no Site/],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': 'cannot be reached' }) },
    'worker',
    'WorkerSilent',
    /^cannot be reached$/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { wanted: [], announced: [], reason: 'NodeDrained' } }) },
    'worker',
    'WorkerDrained',
    /Drain/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { action: 'hold', reason: 'NodeUnknown' } }) },
    'block',
    'WorkerHolds',
    /NodeUnknown/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { source: stale } }) },
    'cluster',
    'ClusterNotRead',
    /SourceUnreachable/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { wanted: [], announced: [] } }) },
    'block',
    'RouteMissing',
    /none of the 2 workers .* its Pod is on paris-worker-1/,
  ],
  [
    pod,
    {
      snapshot: snapshot({
        'paris-worker-1': {
          wanted: [],
          announced: [],
          refusals: [{ subject: '10.10.1.0/26', reason: 'PoolNotExported', message: 'the pool forbids it' }],
        },
      }),
    },
    'block',
    'RouteRefused',
    /10\.10\.1\.0\/26, which paris-worker-1 does not announce: the pool forbids it \(PoolNotExported\)/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { blackholes: { wanted: ['10.10.1.0/26'], installed: [] } } }) },
    'kernel',
    'BlackholeMissing',
    /10\.10\.1\.0\/26/,
  ],
  [
    pod,
    {
      snapshot: snapshot({
        'paris-worker-1': {
          notices: [{ subject: '10.10.1.0/26', reason: 'RouteShadows', message: 'a route of protocol static' }],
        },
      }),
    },
    'kernel',
    'KernelShadows',
    /protocol static/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { neighbors: [down] } }) },
    'session',
    'SessionsDown',
    /hold timer expired/,
  ],
  [
    pod,
    { snapshot: snapshot({ 'paris-worker-1': { relay: 'disconnected' } }) },
    'session',
    'ExabgpSilent',
    /disconnected/,
  ],
  [
    prefix('10.1.0.11/32'),
    { snapshot: snapshot({ 'paris-worker-1': { announced: [] } }) },
    'announced by',
    'RouteRefused',
    /paris-worker-1/,
  ],
];

describe('names the first hop that does not hold, with reason and fix', () => {
  test.each(faults.map((fault) => ({ name: fault[3], fault })))('$name', ({ fault }) => {
    const [question, change, hop, reason, what, spec] = fault;
    const { broken, verdict } = ask(question, change, spec);
    expect([verdict, broken?.hop, broken?.reason]).toEqual(['fails', hop, reason]);
    expect(`${broken?.what}`).toMatch(what);
    expect(broken?.fix).toEqual(expect.any(String));
  });

  test('every reason has a case here, and a place that gives it', async () => {
    const given = new Set(faults.map(([, , , reason]) => reason));
    expect([...given].toSorted()).toEqual(Object.keys(whyReasons).toSorted());
    const sources = globSync('src/observe/why/*.ts').filter(
      (path) => !path.endsWith('.test.ts') && !path.endsWith('reasons.ts'),
    );
    const text = (await Promise.all(sources.map((path) => readFile(path, 'utf8')))).join('');
    for (const reason of Object.keys(whyReasons)) expect(text).toContain(`'${reason}'`);
  });
});
