import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import type { LabStatus } from '../../../lab/observe/status.ts';
import { nameServers } from '../../../lab/world/topology.ts';
import type { DrainedView, SteeringStatus } from '../../../src/model/steering-status.ts';
import { LabProcess, lab, until } from './labprocess.ts';

/** A steering agent in a lab, whose operator writes one Drain and nothing else. */
let folder = '';
let state = '';
let running: LabProcess;

beforeAll(async () => {
  folder = await mkdtemp('/tmp/tl-steer-');
  state = join(folder, 'a');
  running = new LabProcess(state, [], ['--steering', 'automatic', '--alerts']);
  await running.waitForOutput(/every country is served\n\nready/, 200_000);
  // Without paris much of the world has one choice less, so that a Drain of it is more than the usual guard allows.
  const file = join(state, 'platform', 'traffic.yaml');
  const policy = parse(await readFile(file, 'utf8')) as { spec: Record<string, unknown> };
  policy.spec.guard = { maxTrafficShare: 1 };
  await writeFile(file, stringify(policy));
}, 250_000);

afterAll(async () => {
  running?.destroy();
  await rm(folder, { recursive: true, force: true });
});

const world = async (): Promise<LabStatus> =>
  JSON.parse((await lab('status', '--json', '--state', state)).stdout) as LabStatus;

async function zones(): Promise<readonly string[]> {
  const { stdout } = await lab('exec', '--state', state, '--', 'curl', '-s', 'http://127.0.0.1:9465/status');
  if (stdout === '') return ['the agent does not answer yet'];
  const status = JSON.parse(stdout) as SteeringStatus;
  return status.zones.map(({ provider, state: now, generation }) => `${provider} ${now} ${generation}`);
}

/** How much each zone leads to what is drained, as the agent says it. */
async function share(): Promise<readonly DrainedView[]> {
  const { stdout } = await lab('exec', '--state', state, '--', 'curl', '-s', 'http://127.0.0.1:9465/status');
  const { zones: seen } = JSON.parse(stdout) as SteeringStatus;
  return seen.flatMap(({ drains = [] }) => drains);
}

/** Waits until the zones of both providers are as wanted in this generation, and lead France to this cluster. */
const led = (generation: number, cluster: string): Promise<void> =>
  until(async () => {
    const now = (await zones()).join(', ');
    if (now !== `powerdns inForce ${generation}, route53 inForce ${generation}`) return now;
    const france = (await world()).countries.find(({ country }) => country === 'FR');
    const answers = [...(france?.route53 ?? []), ...(france?.powerdns ?? [])];
    return answers.join() === `${cluster},${cluster}` ? undefined : `France is led to ${answers.join(', ')}`;
  }, 120_000);

it('one Drain moves DNS by itself and back by itself when it ends, and no request fails', {
  timeout: 360_000,
}, async () => {
  await led(1, 'paris');
  const before = (await world()).totals;
  const expires = new Date(Date.now() + 60_000).toISOString();
  const begunMs = Date.now();
  const drain = {
    apiVersion: 'tideline.dev/v1alpha1',
    kind: 'Drain',
    metadata: { name: 'paris-works' },
    spec: { target: { kind: 'Cluster', name: 'paris' }, reason: 'works', expires },
  };
  await writeFile(join(state, 'platform', 'drain-paris.yaml'), stringify(drain));
  await led(2, 'cloud');
  expect(Date.now()).toBeLessThan(begunMs + 60_000);
  expect(await share()).toMatchObject([{ share: 0 }, { share: 0 }]);
  await led(3, 'paris');
  expect(Date.now()).toBeGreaterThan(Date.parse(expires));
  const { requests, failed } = (await world()).totals;
  expect(requests).toBeGreaterThan(before.requests + 500);
  expect(failed).toBe(before.failed);
  const words = ['status', join(state, 'platform'), '--steering', '127.0.0.1:9465'];
  const { stdout } = await lab('exec', '--state', state, '--', 'tideline', ...words);
  expect(stdout).toMatch(/^video\.example \(route53\) +applied by itself: as wanted, generation 3$/m);
});

it('drain --wait of a cluster comes back when DNS leads nobody there, and without a steering agent says that it is not known', {
  timeout: 360_000,
}, async () => {
  const platform = join(state, 'platform');
  const inLab = (...words: readonly string[]) => lab('exec', '--state', state, '--', 'tideline', ...words);
  const drain = ['drain', 'cluster', 'paris', platform, '--for', '10m', '--reason', 'works', '--yes', '--wait'];
  expect(await inLab(...drain, '--steering', '127.0.0.1:9465')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^cluster paris: empty$/m),
  });
  expect(await share()).toMatchObject([{ share: 0 }, { share: 0 }]);
  expect(await inLab(...drain)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^cluster paris: not known to be empty: .*DNS: unknown/m),
  });
  expect(await inLab('undrain', 'cluster', 'paris', platform, '--yes')).toMatchObject({ code: 0 });
  await until(async () => ((await share()).length === 0 ? undefined : 'the agent knows of a Drain'), 60_000);
});

it('is shown by the status of the lab, and Prometheus asks it', async () => {
  // It may be at work on what an earlier test began.
  await until(async () => {
    const { stdout } = await lab('status', '--state', state);
    const shown = /^steering agent, automatic\n {2}powerdns +video\.example {2}inForce, generation \d+$/m;
    return shown.test(stdout) ? undefined : stdout;
  }, 60_000);
  const asked = ['exec', '--state', state, '--', 'curl', '-s', 'http://127.0.0.1:9090/api/v1/targets?state=active'];
  await until(async () => {
    const { data } = JSON.parse((await lab(...asked)).stdout) as {
      data: { activeTargets: { scrapeUrl: string; health: string }[] };
    };
    const agent = data.activeTargets.find(({ scrapeUrl }) => scrapeUrl === 'http://127.0.0.1:9465/metrics');
    return agent?.health === 'up' ? undefined : `the steering agent is ${agent?.health ?? 'not asked'}`;
  }, 30_000);
});

/** The alerts about steering that fire now. */
async function firing(): Promise<readonly string[]> {
  const { alerts } = await world();
  if (alerts === undefined) return ['Prometheus does not answer'];
  return alerts.map(({ name }) => name).filter((name) => name.startsWith('TidelineSteering'));
}

const untilFiring = (...wanted: readonly string[]): Promise<void> =>
  until(async () => {
    const now = (await firing()).toSorted().join();
    return now === wanted.join() ? undefined : `the alerts are ${now}; ${(await zones()).join(', ')}`;
  }, 240_000);

it('an alert fires while a plan waits for a person, and ends with what was refused', { timeout: 600_000 }, async () => {
  await untilFiring();
  const file = join(state, 'platform', 'traffic.yaml');
  const policy = parse(await readFile(file, 'utf8')) as { spec: Record<string, unknown> };
  await writeFile(file, stringify({ ...policy, spec: { ...policy.spec, guard: {} } }));
  const drain = join(state, 'platform', 'drain-paris.yaml');
  const spec = { target: { kind: 'Cluster', name: 'paris' }, reason: 'works', expires: '2099-01-01T00:00:00Z' };
  const kind = { apiVersion: 'tideline.dev/v1alpha1', kind: 'Drain', metadata: { name: 'paris-works' } };
  await writeFile(drain, stringify({ ...kind, spec }));
  await untilFiring('TidelineSteeringWaits');
  // Records wait, but the blades of paris fail their health checks on purpose, so that nobody is led there.
  const shares = (await share()).map(({ drain: name, share: still }) => `${name} ${still > 0 ? 'some' : 'none'}`);
  expect(shares).toEqual(['paris-works none', 'paris-works none']);
  await rm(drain);
  await untilFiring();
});

it('two fire while a provider cannot be reached: that planning fails, and later that nobody has planned', {
  timeout: 600_000,
}, async () => {
  const rule = ['pref', '10', 'to', nameServers.route53, 'unreachable'];
  const inLab = (...words: readonly string[]) => lab('exec', '--state', state, '--', ...words);
  expect(await inLab('ip', 'rule', 'add', ...rule)).toMatchObject({ code: 0, stderr: '' });
  await untilFiring('TidelineSteeringFails', 'TidelineSteeringSilent');
  expect(await inLab('ip', 'rule', 'del', ...rule)).toMatchObject({ code: 0, stderr: '' });
  await untilFiring();
});

it('a cluster that lost the Ingress of a host is named by check and by an alert, until it has it again', {
  timeout: 600_000,
}, async () => {
  const words = ['exec', '--state', state, '--', 'tideline', 'check', '--hosts', join(state, 'platform')];
  const lacking =
    '! cluster newyork lacks www.video.example of TrafficPolicy/video: no Ingress has it (HostNotServed); make an Ingress for it there, or take the cluster out of the policy';
  const says = (wanted: string): Promise<void> =>
    until(async () => {
      const { stdout, stderr } = await lab(...words);
      const found = stdout.split('\n').find((line) => line.includes('newyork')) ?? '';
      return found === wanted ? undefined : `check says ${stdout}${stderr}`;
    }, 60_000);
  const fires = (wanted: boolean): Promise<void> =>
    until(async () => {
      const { alerts = [] } = await world();
      const names = alerts.map(({ name }) => name);
      return names.includes('TidelineClusterLacksHosts') === wanted ? undefined : `the alerts are ${names.join()}`;
    }, 240_000);
  await says('');
  const file = join(state, 'platform', 'clusters', 'newyork', 'video.yaml');
  const text = await readFile(file, 'utf8');
  const others = parseAllDocuments(text).filter((document) => document.get('kind') !== 'Ingress');
  await writeFile(file, others.map((document) => stringify(document)).join('---\n'));
  await says(lacking);
  await fires(true);
  await writeFile(file, text);
  await says('');
  await fires(false);
});
