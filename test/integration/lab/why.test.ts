import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nameServers } from '../../../lab/world/topology.ts';
import type { Chain } from '../../../src/observe/why/chain.ts';
import { eventually, NotYet } from '../../support/eventually.ts';
import { LabProcess, lab } from './labprocess.ts';

/**
 * `tideline why` on a whole platform, as its operator asks it from inside the lab. The code under test knows neither the lab nor its
 * faults: it asks name servers, entries, agents and clusters as anywhere.
 */
let folder = '';
let state = '';
let running: LabProcess;

beforeAll(async () => {
  folder = await mkdtemp('/tmp/tl-why-');
  state = join(folder, 'a');
  running = new LabProcess(state);
  await running.waitForOutput(/every country is served/, 150_000);
}, 160_000);
afterAll(async () => {
  running.destroy();
  await rm(folder, { recursive: true, force: true });
});

const servers = [nameServers.route53, nameServers.powerdns].flatMap((address) => ['--name-server', address]);
const france = ['country', 'FR', ...servers];
const host = ['host', 'www.video.example', ...servers];
const blade = ['blade', 'paris-blade-1'];

async function why(words: readonly string[]): Promise<{ readonly code: number; readonly chain: Chain }> {
  const place = ['exec', '--state', state, '--', 'tideline', 'why'];
  const { code, stdout, stderr } = await lab(...place, ...words, join(state, 'platform'), '-o', 'json');
  expect(stderr).toBe('');
  return { code, chain: JSON.parse(stdout) as Chain };
}

/** What breaks the chain: hop, reason and text, or `holds`. */
async function broken(words: readonly string[]): Promise<string> {
  const { code, chain } = await why(words);
  expect(code).toBe(chain.verdict === 'holds' ? 0 : 1);
  return chain.broken === undefined
    ? 'holds'
    : `${chain.broken.hop} ${chain.broken.reason} ${chain.broken.subject} ${chain.broken.what}`;
}

/** Asks until the answer is this one: health checks, hold times and graces of the platform take their time. */
function untilIt(words: readonly string[], answer: RegExp): Promise<unknown> {
  const look = async (): Promise<true> => {
    const said = await broken(words);
    if (answer.test(said)) return true;
    throw new NotYet(said);
  };
  return eventually(`why ${words.join(' ')} says ${answer}`, look, {
    timeoutMs: 90_000,
    everyMs: 200,
    onError: 'fail',
  });
}

/** Runs a command on a machine of the lab. */
async function inside(machine: string, ...words: readonly string[]): Promise<void> {
  expect(await lab('exec', '--state', state, '--on', machine, '--', ...words)).toMatchObject({ code: 0 });
}

async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(state, 'platform', file);
  const text = await readFile(path, 'utf8');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}

const pod = ['pod', '10.10.1.1'];
const questions: readonly (readonly [string, readonly string[]])[] = [
  ['a host', host],
  ['a country', france],
  ['a pod', pod],
  ['a route of pods', ['route', '10.10.1.0/26']],
  ['a VIP', ['route', '192.0.2.10/32']],
  ['a server', ['route', '10.1.0.11/32']],
  ['a blade', blade],
];

describe('where all is well', () => {
  it.each(questions)('every hop of %s holds', async (_, words) => {
    await untilIt(words, /^holds$/);
  });

  it('names every hop from the spec to the kernel', async () => {
    const { chain } = await why(france);
    const hops = [...new Set(chain.hops.map(({ hop }) => hop))];
    const wanted = [
      'spec',
      'DNS answer',
      'record path',
      'health',
      'VIP',
      'announced by',
      'blade',
      'rule',
      'Service',
      'endpoints',
      'worker',
    ];
    expect(hops).toEqual(wanted);
    expect(chain.outcome).toEqual(['www.video.example: users in FR are led to paris']);
  });

  it('says who would serve France without Paris', async () => {
    const { code, chain } = await why([...france, '--if', 'Cluster/paris=down']);
    expect([code, chain.outcome]).toEqual([1, ['www.video.example: users in FR would be led to cloud']]);
    const one = await why([...france, '--if', 'Blade/paris-blade-1=down', '--if', 'Worker/paris-worker-1=down']);
    expect(one.chain.outcome).toEqual(['www.video.example: users in FR would be led to paris']);
  });
});

/** A fault of the lab, the question, and what the first hop that does not hold must say. */
const faults: readonly (readonly [readonly string[], readonly string[], RegExp])[] = [
  [['blade-killed', 'paris-blade-1'], blade, /^blade BladeSilent paris-blade-1 (cannot be reached|does not answer)/],
  [['blade-drained', 'paris-blade-1'], blade, /^spec BladeDrained paris-blade-1 .* the lab drains it$/],
  [['worker-killed', 'paris-worker-1'], pod, /^worker WorkerSilent paris-worker-1 (cannot be reached|does not answer)/],
  [['input-lost', 'paris/vanished'], host, /^cluster ClusterNotRead cluster paris .*SourceMissing/],
  [['input-lost', 'paris/garbage'], blade, /^cluster ClusterNotRead cluster paris .*BadYaml/],
  [['cluster-lost', 'paris'], france, /^health EntrySilent cluster paris .* none of its 4 agents answers/],
];

describe('names the cause in the first hop that does not hold', () => {
  afterEach(async () => {
    await lab('heal', '--state', state);
  });

  it.each(faults)('%j, by why %j', async (fault, words, cause) => {
    await untilIt(words, /^holds$/);
    expect(await lab('fault', ...fault, '--state', state)).toMatchObject({ code: 0 });
    await untilIt(words, cause);
    await lab('heal', '--state', state);
    await untilIt(words, /^holds$/);
  });

  it('an ExaBGP that hangs', async () => {
    const signal = (name: string) =>
      inside('paris-worker-1', 'pkill', `-${name}`, '-f', 'exabgp .*paris-worker-1/exabgp\\.conf');
    await signal('STOP');
    await untilIt(pod, /^session (ExabgpSilent|SessionsDown) paris-worker-1 /);
    await signal('CONT');
    await untilIt(pod, /^holds$/);
  });

  it('a route of another program that takes the packets to a block', async () => {
    const route = ['10.10.1.0/26', 'via', '10.1.0.1', 'metric', '5'];
    await inside('paris-worker-1', 'ip', 'route', 'add', ...route);
    await untilIt(['route', '10.10.1.0/26'], /^kernel KernelShadows paris-worker-1 .*10\.10\.1\.0\/26/);
    await inside('paris-worker-1', 'ip', 'route', 'del', ...route);
    await untilIt(['route', '10.10.1.0/26'], /^holds$/);
  });

  it('a Service without the port that the Ingress names', async () => {
    await edit('clusters/paris/video.yaml', 'port: 80\n', 'port: 81\n');
    await untilIt(host, /^Service ServiceMissing video\/web .* port 80$/);
    await edit('clusters/paris/video.yaml', 'port: 81\n', 'port: 80\n');
    await untilIt(host, /^holds$/);
  });

  it('an edit of the spec that was not applied', async () => {
    await edit('traffic.yaml', 'clusters: [ { name: paris } ]', 'clusters: [ { name: newyork } ]');
    expect(await broken(france)).toMatch(/^DNS answer AnswerDiffers .* is paris .* the spec wants newyork$/);
    await edit(
      'traffic.yaml',
      'clusters: [ { name: newyork } ]\n      failover: [ cloud ]',
      'clusters: [ { name: paris } ]\n      failover: [ cloud ]',
    );
    await untilIt(france, /^holds$/);
  });
});
