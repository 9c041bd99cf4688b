import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { blade, takenAtMs, target, worker } from '../../test/support/snapshot.ts';
import { findingsOf } from './findings.ts';
import type { Snapshot } from './snapshot.ts';
import { askSteering, editedFindings } from './steering.ts';
import type { SteeringPart, SteeringSeen } from './steering-part.ts';
import { renderStatus } from './text.ts';

const zone = (change: Partial<SteeringSeen['zones'][number]> = {}): SteeringSeen['zones'][number] => ({
  provider: 'route53',
  zone: 'video.example',
  state: 'inForce',
  sinceMs: takenAtMs,
  generation: 12,
  conditions: [],
  holds: [],
  returns: [],
  ...change,
});
const part = (change: Partial<SteeringSeen> = {}): SteeringPart => ({
  at: '10.1.0.9:9465',
  steering: { agent: 'steering', mode: 'automatic', leadership: { leading: true }, zones: [zone()], ...change },
});
const snapshot = (...steering: readonly SteeringPart[]): Snapshot => ({
  takenAtMs,
  clusters: [{ name: 'paris', sites: ['paris'] }],
  pools: [{ name: 'paris-edge', cluster: 'paris', vips: ['192.0.2.10'] }],
  agents: [blade('b1'), blade('b2'), worker('w1')],
  drains: [],
  steering,
});
const lineOf = (...steering: readonly SteeringPart[]) =>
  renderStatus(snapshot(...steering)).find((line) => line.startsWith('video.example'));
const needs = {
  reason: 'NeedsApproval',
  message: 'www.video.example moves 40% of the traffic, the guard allows 25%',
  fix: 'tideline steering apply FOLDER --plan 0123456789abcdef --approve-share 0.4',
};

test.each<[string, SteeringPart, string]>([
  ['as wanted', part(), 'applied by itself: as wanted, generation 12'],
  ['as wanted, by people', part({ mode: 'observe' }), 'applied by people: as wanted, generation 12'],
  [
    'to be changed',
    part({ mode: 'observe', zones: [zone({ state: 'planned' })] }),
    'is not as wanted; the agent only observes',
  ],
  [
    'for a person',
    part({ zones: [zone({ state: 'waits', conditions: [needs] })] }),
    'waiting for a person (NeedsApproval)',
  ],
  [
    'as wanted, and answered otherwise',
    part({ zones: [zone({ conditions: [{ reason: 'AnsweredOtherwise', message: 'ns1: does not answer' }] })] }),
    'applied by itself: as wanted, generation 12, but (AnsweredOtherwise)',
  ],
])('a zone that is %s has a line that says so', (_, given, text) => {
  expect(lineOf(given)).toBe(`video.example (route53)  ${text}`);
});

test('what waits for a person is a warning with the command, and what fails a fault', () => {
  const waits = part({ zones: [zone({ state: 'waits', conditions: [needs] })] });
  const [found] = findingsOf(snapshot(waits));
  expect(found).toMatchObject({ severity: 'warning', subject: 'route53 zone video.example' });
  expect(found?.what).toBe(`waits for a person: ${needs.message}; ${needs.fix} (NeedsApproval)`);
  const fails = [{ reason: 'ProviderUnreachable', message: 'nobody answers' }];
  expect(findingsOf(snapshot(part({ zones: [zone({ state: 'fails', conditions: fails })] })))).toMatchObject([
    { severity: 'fault', what: 'cannot be planned or written: nobody answers (ProviderUnreachable)' },
  ]);
});

test('what was applied and is not answered so is a fault, beside what waits', () => {
  const otherwise = { reason: 'AnsweredOtherwise', message: 'ns1: does not answer' };
  expect(
    findingsOf(snapshot(part({ zones: [zone({ state: 'waits', conditions: [needs, otherwise] })] }))),
  ).toMatchObject([
    {
      severity: 'fault',
      what: 'was applied, and name servers answer otherwise: ns1: does not answer (AnsweredOtherwise)',
    },
    { severity: 'warning' },
  ]);
});

test('what somebody else edited is a warning of the status, and a line of why', () => {
  const drift = { sinceMs: takenAtMs, what: '1 record changed; cloud gains 2.1% of the traffic' };
  const [found] = findingsOf(snapshot(part({ zones: [zone({ drift })] })));
  expect(found).toMatchObject({
    severity: 'warning',
    what: `was edited by somebody else: ${drift.what}; see \`tideline steering drift FOLDER\` (Drift)`,
  });
  expect(editedFindings([part({ zones: [zone({ drift })] })])).toEqual([found]);
  expect(editedFindings([part({ leadership: { leading: false }, zones: [zone({ drift })] })])).toEqual([]);
});

test('a cluster that is held back is a note that says how it ends', () => {
  const ends = 'its users return when it has been healthy for 30 min';
  const holds = [{ policy: 'video', cluster: 'paris', sinceMs: takenAtMs, ends }];
  expect(findingsOf(snapshot(part({ zones: [zone({ holds })] })))).toMatchObject([
    { severity: 'note', what: `holds back paris of policy video, which was down: ${ends} (HeldBack)` },
  ]);
});

test('an overlay that has ended and whose users return in steps is a note that says how far they are', () => {
  const ends = 'its users are led back, now up to ES';
  const returns = [{ policy: 'video', overlay: 'evening', sinceMs: takenAtMs, ends }];
  expect(findingsOf(snapshot(part({ zones: [zone({ returns })] })))).toMatchObject([
    {
      severity: 'note',
      what: `still follows the overlay evening of policy video, which has ended: ${ends} (OverlayReturning)`,
    },
  ]);
});

test('the agent that leads speaks for all; without one that is a warning, and a silent one is not known', () => {
  const standby = part({ leadership: { leading: false }, zones: [zone({ state: 'standby' })] });
  expect(lineOf(standby, part())).toMatch(/applied by itself/);
  expect(findingsOf(snapshot(standby, part()))).toEqual([]);
  expect(findingsOf(snapshot(standby))).toMatchObject([{ severity: 'warning', subject: 'no steering agent' }]);
  const silent = { at: '10.1.0.9:9465', problem: 'has no agent that listens' };
  expect(findingsOf(snapshot(silent))).toMatchObject([
    { severity: 'unknown', subject: 'the steering agent at 10.1.0.9:9465', what: 'has no agent that listens' },
  ]);
});

test('an agent that answers is read, and a stranger at its port is named', async () => {
  let answer: unknown = { ...('steering' in part() ? (part() as { steering: object }).steering : {}), more: 1 };
  const server = createServer((_, response) => response.end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const place = { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
  expect(await askSteering(place, { timeoutMs: 5000 })).toMatchObject({ steering: { mode: 'automatic' } });
  answer = { agent: 'edge' };
  expect(await askSteering(place, { timeoutMs: 5000 })).toMatchObject({
    problem: expect.stringMatching(/not who answers/),
  });
  server.close();
  server.closeAllConnections();
});

test('what clusters lack is told by the agent, of those of which no blade says it', () => {
  const lack = (cluster: string) => ({
    policy: 'video',
    cluster,
    lacks: [{ host: 'www.video.example', reason: 'HostNotReady', message: 'it answers 503' }],
    count: 1,
    unknown: [],
  });
  const hosts = { policy: 'video', lacking: [], count: 0, withoutCertificate: [] };
  const agents = [blade('b1', { policyHosts: [hosts] })];
  const told = findingsOf({ ...snapshot(part({ parity: [lack('paris'), lack('cloud')] })), agents });
  expect(told.filter(({ what }) => what.includes('lacks'))).toEqual([
    {
      severity: 'fault',
      subject: 'cluster cloud',
      what: 'lacks www.video.example of TrafficPolicy/video: it answers 503 (HostNotReady); bring its pods up there; tideline why host HOST FOLDER names what is missing',
    },
  ]);
});

test('where no blade and no worker answers, what the steering agents say is said all the same', () => {
  const cutOff = (...steering: readonly SteeringPart[]): Snapshot => ({
    ...snapshot(...steering),
    agents: [{ target: target('b1', 'edge'), problem: 'cannot be reached' }],
  });
  const textOf = (...steering: readonly SteeringPart[]) => renderStatus(cutOff(...steering)).join('\n');
  const silent = { at: '10.1.0.9:9465', problem: 'does not answer within 3 s' };
  expect(findingsOf(cutOff(silent))).toMatchObject([
    { severity: 'unknown', subject: 'no agent' },
    { severity: 'unknown', subject: 'the steering agent at 10.1.0.9:9465', what: silent.problem },
  ]);
  const fails = part({
    zones: [zone({ state: 'fails', conditions: [{ reason: 'ProviderUnreachable', message: 'nobody answers' }] })],
  });
  expect(findingsOf(cutOff(fails))).toMatchObject([
    { severity: 'fault', subject: 'route53 zone video.example' },
    { severity: 'unknown', subject: 'no blade or worker', what: expect.stringMatching(/so nothing is known of them$/) },
  ]);
  expect(textOf(fails)).not.toMatch(/no agent answers/);
  expect(findingsOf(cutOff(part({ zones: [zone({ state: 'waits', conditions: [needs] })] })))).toMatchObject([
    { severity: 'unknown' },
    { severity: 'warning', what: expect.stringMatching(/^waits for a person: .*NeedsApproval/) },
  ]);
  expect(findingsOf({ ...cutOff(fails), agents: [] })).toMatchObject([
    { severity: 'fault' },
    { subject: 'the platform', what: 'has no blade, and no worker that a cluster lists, so that none could be asked' },
  ]);
});

describe('two agents that lead', () => {
  const other = '10.1.0.10:9465';
  const plan = { checksum: '0123456789abcdef' };
  const planned = (digest: string): SteeringPart => ({
    ...part({ mode: 'observe', platform: { digest }, zones: [zone({ state: 'planned', plan })] }),
    at: other,
  });
  const zoneLines = (...steering: readonly SteeringPart[]) =>
    renderStatus(snapshot(...steering))
      .join('\n')
      .split('steering agent\n')
      .at(-1)
      ?.split('\n')
      .map((line) => line.trim());

  test('with different specs have a line each, the worst first, and the finding that they want different things', () => {
    const both = [part({ platform: { digest: 'a' } }), planned('b')];
    expect(zoneLines(...both)).toEqual([
      `video.example (route53)  ${other}: is not as wanted; the agent only observes`,
      '10.1.0.9:9465: applied by itself: as wanted, generation 12',
      'two agents want different things',
    ]);
    const [found] = findingsOf(snapshot(...both));
    expect(found).toMatchObject({ severity: 'warning', subject: 'route53 zone video.example' });
    expect(found?.what).toBe(
      `has agents with different specs: two agents want different things (${other} plans 0123456789abcdef, 10.1.0.9:9465 wants nothing changed)`,
    );
  });

  test('with one spec differ in how far they are, and what is wrong at one of them is said with its address', () => {
    expect(findingsOf(snapshot(part({ platform: { digest: 'a' } }), planned('a')))).toEqual([]);
    const conditions = [{ reason: 'ProviderUnreachable', message: 'nobody answers' }];
    const fails = part({ platform: { digest: 'a' }, zones: [zone({ state: 'fails', conditions })] });
    expect(findingsOf(snapshot(part({ platform: { digest: 'a' } }), { ...fails, at: other }))).toMatchObject([
      { severity: 'fault', subject: `route53 zone video.example at ${other}` },
    ]);
  });

  test('that agree are one line without an address', () => {
    const both = [part({ platform: { digest: 'a' } }), { ...part({ platform: { digest: 'a' } }), at: other }];
    expect(zoneLines(...both)).toEqual(['video.example (route53)  applied by itself: as wanted, generation 12']);
    expect(findingsOf(snapshot(...both))).toEqual([]);
  });
});

test('says of what is drained how many users DNS still leads there', () => {
  const drains = [{ name: 'd', target: 'Cluster/paris', reason: 'works', expires: '2099-01-01T00:00:00Z' }];
  const note = (share: number, emptyAtMs?: number) => {
    const view = { drain: 'd', share, byFamily: { ipv4: share }, ttlSeconds: 30, emptyAtMs };
    const seen = { ...snapshot(part({ zones: [zone({ drains: [view] })] })), drains };
    return findingsOf(seen).find(({ subject }) => subject === 'Cluster/paris')?.what;
  };
  expect(note(0.25)).toMatch(/: works; DNS still leads 25 % of the users of a host there$/);
  expect(note(0, takenAtMs + 1000)).toMatch(/resolvers may hold answers of before until 20\S+Z$/);
  expect(note(0, takenAtMs)).toMatch(/: works; DNS leads nobody there$/);
});
