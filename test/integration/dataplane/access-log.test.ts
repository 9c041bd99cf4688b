import { Agent } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { requestMetrics, setRequestMetrics } from '../../../src/planes/edge/requests/metrics.ts';
import type { HealthReport } from '../../../src/planes/edge/table.ts';
import { Registry } from '../../../src/runtime/metrics.ts';
import { backend, eventually, host, table, World } from './world.ts';

/** The access log: which requests have a line, and what a line says of the client. */

let world: World | undefined;
afterEach(async () => {
  await world?.destroy();
  world = undefined;
});

interface Line {
  readonly uri: string;
  readonly client: string;
  readonly id: string;
  readonly reason: string;
  readonly sample: number;
}

/** The lines of the log that are there so far; nginx writes them within a second. */
async function lines(): Promise<readonly Line[]> {
  const text = await world!.accessLog();
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

it('is on, switched without a restart, a sample when there are many requests, and names no client as a whole', async () => {
  world = await World.create({ workers: 1 });
  const { plane } = world;
  await plane.apply(
    table({
      hosts: [host('www.example', { 'prefix /': 'n/a/80', 'prefix /none': 'n/none/80' })],
      backends: [backend('n/a/80', await world.pod('a', 1))],
    }),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  let number = 0;
  /** Asks for a path that no other request asks for. */
  const ask = async (path = '/'): Promise<string> => {
    const uri = `${path}?${(number += 1)}`;
    await world!.ask({ host: 'www.example', path: uri, agent });
    return uri;
  };
  const turn = (accessLog: HealthReport['accessLog']) =>
    plane.setHealth({ policies: [], watched: [], measured: [], accessLog });
  const found = async (uri: string): Promise<Line | undefined> => (await lines()).find((line) => line.uri === uri);

  const first = await ask();
  await eventually('the first request has a line', async () => (await found(first)) !== undefined);
  const line = await found(first);
  expect(line).toMatchObject({ client: '10.77.0.0', reason: '', sample: 1 });
  expect(line?.id).toMatch(/^[0-9a-f]{32}$/);

  await turn('none');
  await eventually('a worker leaves lines out', async () => {
    await ask();
    return (await plane.requests()).linesLeftOut > 0;
  });
  const unseen = await ask();
  await turn('all');
  await eventually(
    'lines are written again',
    async () =>
      (await found(await ask('/again'))) !== undefined || (await lines()).some(({ uri }) => uri.startsWith('/again')),
  );
  expect(await found(unseen)).toBeUndefined();

  await turn('sampled');
  await eventually('a line stands for several requests', async () => {
    await Promise.all(Array.from({ length: 200 }, () => ask()));
    return (await lines()).some(({ sample }) => sample > 1);
  });
  const refused = await Promise.all([ask('/none'), ...Array.from({ length: 100 }, () => ask())]);
  await eventually('a request that was refused has a line all the same', async () => {
    const one = await found(refused[0]!);
    return one?.reason === 'NoEndpoints' && one.sample === 1;
  });
  const registry = new Registry();
  setRequestMetrics(requestMetrics(registry), await plane.requests(), 'paris-edge');
  expect(await registry.metrics()).toMatch(/^tideline_edge_access_log_left_out_total [1-9]/m);
});

it('has whole addresses where a person asked for them', async () => {
  world = await World.create({ fullAddresses: true, workers: 1 });
  const uri = '/whole';
  await world.ask({ host: 'www.example', path: uri });
  await eventually('the request has a line', async () => (await lines()).some((line) => line.uri === uri));
  expect((await lines())[0]?.client).toBe('10.77.0.1');
});

it('names the /24 and the /48 of clients, however their addresses are written', async () => {
  const trustedProxies = { prefixes: ['10.77.0.0/24'], via: 'forwardedHeaders' } as const;
  world = await World.create({ workers: 1, trustedProxies });
  const networks = {
    '198.51.100.77': '198.51.100.0',
    '2001:db8:12:34:56:78:9a:bc': '2001:db8:12::',
    '2001:db8:12::7': '2001:db8:12::',
    '2001:db8::12:7': '2001:db8::',
    '2001::7': '2001::',
    '::1:2:3:4:5:6:7': '0:1:2::',
    '::ffff:0:1': '::',
  };
  for (const address of Object.keys(networks))
    await world.ask({ host: 'www.example', path: `/${address}`, headers: { 'x-forwarded-for': address } });
  const count = Object.keys(networks).length;
  await eventually('all requests have a line', async () => (await lines()).length === count);
  const found = (await lines()).map(({ uri, client }) => [uri.slice(1), client]);
  expect(Object.fromEntries(found)).toEqual(networks);
});
