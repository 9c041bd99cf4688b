import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from '../../lab/control-plane/pki/certificate.ts';
import { bookOf, type Series } from '../../src/planes/scaling/serve/series.ts';
import { MetricsServer } from '../../src/planes/scaling/serve/server.ts';
import { ServingFiles } from '../../src/planes/scaling/serve/serving-files.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLog } from '../../src/runtime/log.ts';
import { createRegistry } from '../../src/runtime/metrics.ts';
import { atMost, type Bench, figure } from './support/row.ts';

const autoscalers = 1000;
const series = 10_000;
/** An autoscaler asks every 15 seconds; a controller with five workers asks so many at the same time. */
const rounds = 2;
const roundMs = 15_000;
const concurrent = 5;

/** The metrics APIs under the load of a large cluster: 1,000 autoscalers, each with a series of its own among 10,000. */
export const metricsApi: Bench = {
  name: 'metrics-api',
  async run(report) {
    const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
    const [serving, proxies] = [createAuthority('serving'), createAuthority('proxies')];
    const pair = serving.issue({ commonName: 'server', hosts: ['localhost'] });
    const paths = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
    await writeFile(paths.cert, pair.certificate);
    await writeFile(paths.key, pair.key);
    const log = createLog('bench', 'silent');
    const files = await ServingFiles.open({ ...paths, clock: systemClock, log });
    const book = bookOf(
      Array.from(
        { length: series },
        (_, at): Series => ({
          metric: 'tideline_floor_replicas',
          labels: { target: `web-${at}` },
          value: at,
          atMs: Date.now(),
          namespace: `n${at % autoscalers}`,
        }),
      ),
    );
    const before = process.memoryUsage().rss;
    const server = new MetricsServer({
      host: '127.0.0.1',
      port: 0,
      files,
      client: { request: async <T>({ path }: { readonly path: string }) => answerOf(path, proxies.certificate) as T },
      book: () => book,
      version: 'bench',
      clock: systemClock,
      log,
      registry: createRegistry('bench'),
    });
    try {
      await server.start();
      while (server.problems().length > 0) await sleep(50);
      report(`${rounds} rounds of ${autoscalers} autoscalers`);
      const front = proxies.issue({ commonName: 'front-proxy' });
      const agent = new Agent({
        keepAlive: true,
        maxSockets: concurrent,
        cert: front.certificate,
        key: front.key,
        ca: serving.certificate,
      });
      const times: number[] = [];
      const cpu = process.cpuUsage();
      for (let round = 0; round < rounds; round++) {
        const begun = performance.now();
        await Promise.all(
          Array.from({ length: autoscalers }, async (_, at) => {
            await sleep((roundMs * at) / autoscalers);
            times.push(await ask(agent, Number(new URL(server.url).port), at));
          }),
        );
        await sleep(Math.max(0, roundMs - (performance.now() - begun)));
      }
      agent.destroy();
      const { user, system } = process.cpuUsage(cpu);
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
      return [
        { what: `metrics API: ${autoscalers} autoscalers, ${series} series: p50`, measured: figure(at(0.5), 'ms') },
        atMost(`metrics API: ${autoscalers} autoscalers, ${series} series: p99`, at(0.99), 50, 'ms'),
        {
          what: 'metrics API: share of a core, with those who ask in the same process',
          measured: figure((100 * (user + system)) / 1000 / (rounds * roundMs), '%'),
        },
        {
          what: 'metrics API: memory (RSS) of the process, and what of it is the server and its load',
          measured: `${figure(process.memoryUsage().rss / 2 ** 20, 'MiB')}, ${figure((process.memoryUsage().rss - before) / 2 ** 20, 'MiB')}`,
        },
      ];
    } finally {
      files.stop();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** What a cluster says: whom it believes, and that the autoscaler may. */
function answerOf(path: string, proxies: string): object {
  if (!path.endsWith('extension-apiserver-authentication')) return { status: { allowed: true } };
  return {
    data: {
      'requestheader-client-ca-file': proxies,
      'requestheader-username-headers': '["X-Remote-User"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
    },
  };
}

/** Milliseconds from the request to the end of its answer, as the aggregator sees it. */
function ask(agent: Agent, port: number, at: number): Promise<number> {
  const begun = performance.now();
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/n${at}/tideline_floor_replicas?labelSelector=target%3Dweb-${at}`;
  const headers = {
    accept: 'application/vnd.kubernetes.protobuf, */*',
    'x-remote-user': 'system:serviceaccount:kube-system:horizontal-pod-autoscaler',
    'x-remote-group': 'system:serviceaccounts',
  };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', servername: 'localhost', port, path, headers, agent }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => {
        if (answer.statusCode === 200 && text.includes(`"web-${at}"`)) resolve(performance.now() - begun);
        else reject(new Error(`${answer.statusCode}: ${text}`));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}
