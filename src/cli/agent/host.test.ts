import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fullTrust } from '../../model/platform/trust.ts';
import { InputError } from '../../model/problem.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { AgentStatus } from '../../model/status.ts';
import { type Log, silentLog } from '../../runtime/log.ts';
import { type Agent, type AgentArguments, type AgentPlane, type Process, runAgent } from './host.ts';

let runDir: string;
let did: string[];
let signal: PromiseWithResolvers<string>;

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'tideline-host-'));
  did = [];
  signal = Promise.withResolvers<string>();
});
afterEach(() => rmSync(runDir, { recursive: true, force: true }));

const given = (more: Partial<AgentArguments> = {}): AgentArguments => ({
  platform: 'examples/hybrid',
  runDir,
  withdrawOnStop: false,
  logLevel: 'info',
  metricsFrom: [],
  metricsName: [],
  platformApi: [],
  platformTrust: [],
  ...more,
});

/** A plane that records in `did` what the host does with it. */
function plane(
  changes: Partial<AgentPlane<AgentArguments, Platform>> & { readonly life?: Partial<Agent> } = {},
): AgentPlane<AgentArguments, Platform> {
  const { life, ...rest } = changes;
  const does = (what: string) => () => void did.push(what);
  return {
    name: 'tides',
    lastGood: 'tides-snapshot.json',
    identity: () => ({ rock: 'r1' }),
    notifyStarting: async () => does('starting notified')(),
    view: async () => (platform) => platform,
    cluster: () => 'paris',
    needs: async () => [],
    listen: () => ({ host: '127.0.0.1', port: 0 }),
    agent: async () => ({
      start: does('agent starts'),
      platformChanged: does('platform changed'),
      status: () => ({ rock: 'r1' }),
      stop: async ({ withdraw }) => does(withdraw ? 'agent withdraws and stops' : 'agent stops')(),
      ...life,
    }),
    ...rest,
  };
}

/** A process whose log is recorded in `did`, and the endpoint's address from that log. */
function recordingProcess(): { readonly process: Process; readonly url: Promise<string> } {
  const url = Promise.withResolvers<string>();
  const write = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    const { part, endpoint } = fields;
    did.push(`${level}: ${message}${typeof part === 'string' ? ` (${part})` : ''}`);
    if (typeof endpoint === 'string') url.resolve(endpoint);
  };
  const log: Log = { ...silentLog, info: write('info'), error: write('error'), child: () => log };
  return { process: { shutdown: () => signal.promise, createLog: () => log }, url: url.promise };
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

it('starts in order, answers /status, and stops in reverse', async () => {
  const { process, url } = recordingProcess();
  let answeredWhileStopping: boolean | undefined;
  const stop = async () => {
    did.push('agent stops');
    answeredWhileStopping = await answers(await url);
  };
  const run = runAgent(plane({ life: { stop } }), given(), process);
  const status = (await (await fetch(`${await url}/status`)).json()) as AgentStatus & { readonly rock: string };
  expect(status).toMatchObject({ agent: 'tides', statusVersion: 1, platform: { phase: 'current' }, rock: 'r1' });
  signal.resolve('SIGTERM');
  await run;
  expect(did).toEqual([
    'starting notified',
    'agent starts',
    'info: tides agent started',
    'info: tides agent stops',
    'agent stops',
  ]);
  expect([answeredWhileStopping, await answers(await url)]).toEqual([true, false]);
});

it('withdraws at a planned stop only', async () => {
  const { process } = recordingProcess();
  signal.resolve('SIGINT');
  await runAgent(plane(), given({ withdrawOnStop: true }), process);
  expect(did.at(-1)).toBe('agent withdraws and stops');
});

it('notifies that it starts, even when the start then fails', async () => {
  const { process } = recordingProcess();
  await expect(runAgent(plane(), given({ platform: '/nowhere' }), process)).rejects.toThrow('no such file or folder');
  expect(did).toEqual(['starting notified']);
});

it.each<[string, Partial<AgentPlane<AgentArguments, Platform>>, string]>([
  ['there is no such cluster', { cluster: () => 'nix' }, 'nix'],
  ['a part cannot be made', { agent: () => Promise.reject(new Error('no nginx')) }, 'no nginx'],
])('rejects with the reason when %s', async (_, changes, message) => {
  const { process } = recordingProcess();
  await expect(runAgent(plane(changes), given(), process)).rejects.toThrow(message);
  expect(did).toEqual(['starting notified']);
});

it('stops what was started when its own port is taken, without withdrawing', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { process } = recordingProcess();
  const listen = () => ({ host: '127.0.0.1', port });
  await expect(runAgent(plane({ listen }), given(), process)).rejects.toThrow('EADDRINUSE');
  expect(did).toEqual(['starting notified']);
  taken.close();
});

it('stops an agent whose start fails half way, without withdrawing, and rejects with the failure of the start', async () => {
  const { process } = recordingProcess();
  const life = {
    start: () => {
      throw new Error('half way');
    },
    stop: async ({ withdraw }: { readonly withdraw: boolean }) => {
      did.push(`stopped, withdraw ${withdraw}`);
      throw new Error('worse');
    },
  };
  const run = runAgent(plane({ life }), given({ withdrawOnStop: true }), process);
  await expect(run).rejects.toThrow('half way');
  expect(did).toEqual([
    'starting notified',
    'stopped, withdraw false',
    'error: a part of the agent could not be stopped (agent)',
  ]);
});

it('stops everything else when one stop fails, and rejects with that failure', async () => {
  const { process, url } = recordingProcess();
  const stop = () => Promise.reject(new Error('not withdrawn within 10000 ms'));
  const run = runAgent(plane({ life: { stop } }), given(), process);
  signal.resolve('SIGTERM');
  await expect(run).rejects.toThrow('not withdrawn');
  expect(did.at(-1)).toBe('error: a part of the agent could not be stopped (agent)');
  expect(await answers(await url)).toBe(false);
});

it('ends at a signal while it waits for a platform that no API gives yet, and starts nothing', async () => {
  const { process } = recordingProcess();
  const { platform: _folder, ...rest } = given({
    cluster: 'paris',
    kubeconfig: join(runDir, 'none'),
    platformTrust: [{ cluster: 'paris', topics: fullTrust }],
  });
  const view = async () => (): Platform => {
    throw new InputError({ reason: 'UnknownName', message: 'there is no rock', fix: 'write it' });
  };
  const run = runAgent(plane({ view }), rest, process);
  await expect
    .poll(() => did, { timeout: 10_000 })
    .toContainEqual(expect.stringMatching(/^error: there is no platform/));
  signal.resolve('SIGTERM');
  await run;
  expect(did.filter((line) => /^(starting|info: tides)/.test(line))).toEqual([
    'starting notified',
    'info: tides agent stops',
  ]);
});

it('refuses to start without a folder where nobody is trusted, or nothing says which cluster is its own', async () => {
  const { platform: _folder, ...rest } = given({ kubeconfig: join(runDir, 'none') });
  for (const without of [rest, { ...rest, platform: '' }])
    await expect(runAgent(plane(), without, recordingProcess().process)).rejects.toThrow(/NoCluster/);
  await expect(runAgent(plane(), { ...rest, cluster: 'paris' }, recordingProcess().process)).rejects.toThrow(
    /NoSpecSource/,
  );
});

/** A program whose agent never finishes stopping. */
const hanging = `
  import { runAgent } from './src/cli/agent/host.ts';
  const stop = () => new Promise(() => { console.log('stopping'); });
  await runAgent({
    name: 'tides',
    lastGood: 'tides-snapshot.json',
    identity: () => ({}),
    view: async () => (platform) => platform,
    cluster: () => 'paris',
    needs: async () => [],
    listen: () => ({ host: '127.0.0.1', port: 0 }),
    agent: async () => ({ start: () => console.log('started'), platformChanged() {}, status: () => ({}), stop }),
  }, { platform: 'examples/hybrid', runDir: process.argv[1], withdrawOnStop: false, logLevel: 'error', metricsFrom: [], metricsName: [], platformApi: [], platformTrust: [] });
`;

it('ends at once on the second signal', async () => {
  const quiet = '--disable-warning=ExperimentalWarning';
  const child = spawn(process.execPath, ['--input-type=module-typescript', quiet, '-e', hanging, runDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const nextOutput = async (): Promise<string> => String((await once(child.stdout, 'data'))[0]).trim();
  expect(await nextOutput()).toBe('started');
  child.kill('SIGTERM');
  expect(await nextOutput()).toBe('stopping');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([130, null]);
});
