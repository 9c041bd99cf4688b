import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askLab } from '../../../lab/control/client.ts';
import type { ActiveFault } from '../../../lab/faults/board.ts';
import { nameServers } from '../../../lab/world/topology.ts';
import type { Chain } from '../../../src/observe/why/chain.ts';
import { eventually, NotYet } from '../../support/eventually.ts';
import { promised } from '../../support/promised.ts';
import { LabProcess, lab } from './labprocess.ts';
import { StatusScreen } from './screen.ts';
import { type Stage, troubles } from './troubles.ts';

/**
 * `tideline status` and `tideline why` on a whole platform, as its operator asks them from inside the lab. The code under test knows neither the lab nor its
 * faults: it asks name servers, entries, agents and clusters as anywhere.
 */
let folder = '';
let state = '';
let running: LabProcess;

beforeAll(async () => {
  folder = await mkdtemp('/tmp/tl-why-');
  state = join(folder, 'a');
  running = new LabProcess(state, [], ['--alerts']);
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

/** The alerts that fire now. */
async function firing(): Promise<readonly string[]> {
  const question = 'count by (alertname) (ALERTS{alertstate="firing"})';
  const place = ['exec', '--state', state, '--', 'promtool', 'query', 'instant', '-o', 'json'];
  const { code, stdout } = await lab(...place, 'http://127.0.0.1:9090', question);
  expect(code).toBe(0);
  const answer = JSON.parse(stdout) as readonly { readonly metric: { readonly alertname: string } }[];
  return answer.map(({ metric }) => metric.alertname).toSorted();
}

function untilFiring(wanted: readonly string[]): Promise<unknown> {
  const look = async (): Promise<true> => {
    const alerts = await firing();
    if (isDeepStrictEqual(alerts, wanted)) return true;
    throw new NotYet(alerts.join());
  };
  return eventually(`alerts: ${wanted.join()}`, look, { timeoutMs: 120_000, everyMs: 500, onError: 'fail' });
}

/** Asks until the answer is this one: health checks, hold times and graces of the platform take their time. */
function untilIt(words: readonly string[], answer: RegExp): Promise<string> {
  const look = async (): Promise<string> => {
    const said = await broken(words);
    if (answer.test(said)) return said;
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

const stage: Stage = {
  async fault(name, target) {
    const query = new URLSearchParams({ name, target }).toString();
    return ((await askLab(state, 'POST', `/fault?${query}`)) as ActiveFault).sinceMs;
  },
  heal: async () => void (await askLab(state, 'POST', '/heal')),
  inside,
  get platform() {
    return join(state, 'platform');
  },
};

describe('names the cause', () => {
  /** The seconds after which the first line of status named it, for each of them that `why` found as well. */
  const named = new Map<string, number>();
  let screen: StatusScreen;
  beforeAll(() => {
    screen = new StatusScreen(state, stage.platform);
  });
  afterEach(() => stage.heal());
  afterAll(() => screen.end());

  it.each(troubles)(
    '$what: in the first line of status, and in the first hop of why that does not hold',
    async (trouble) => {
      const { what, begin, end, status, why: words, hop, cause, withinS, alerts } = trouble;
      const question = ['host', 'country'].includes(words[0] ?? '') ? [...words, ...servers] : words;
      const isNamed = (text: string): boolean => cause.every((part) => part.test(text));
      await screen.untilWell();
      if (alerts !== undefined) await untilFiring([]);
      const beganMs = await begin(stage);
      try {
        const first = await screen.until(`status: ${what}`, beganMs, (text) => status.test(text) && isNamed(text));
        expect(first.text.length).toBeLessThanOrEqual(160);
        const said = await untilIt(question, hop);
        expect(cause.filter((part) => !part.test(said))).toEqual([]);
        const seconds = (first.atMs - beganMs) / 1000;
        named.set(what, seconds);
        expect(1000 * seconds).toBeLessThanOrEqual(promised(1000 * withinS));
        if (alerts !== undefined) await untilFiring(alerts);
      } finally {
        await end(stage);
      }
      await screen.untilWell();
      await untilIt(question, /^holds$/);
    },
  );

  it('of twelve faults or more within five seconds', () => {
    expect([...named.values()].filter((seconds) => seconds <= 5).length).toBeGreaterThanOrEqual(12);
  });
});

describe('names in the first hop that does not hold', () => {
  afterEach(() => stage.heal());

  it('a Drain', async () => {
    await stage.fault('blade-drained', 'paris-blade-1');
    await untilIt(blade, /^spec BladeDrained paris-blade-1 .* the lab drains it$/);
    await stage.heal();
    await untilIt(blade, /^holds$/);
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
