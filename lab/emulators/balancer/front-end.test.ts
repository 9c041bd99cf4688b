import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type HttpEndpoint, listenHttp } from '../../../src/runtime/http.ts';
import { eventually } from '../../../test/support/eventually.ts';
import type { Backend } from './backend.ts';
import { type FrontEnd, startFrontEnd } from './front-end.ts';

/** A pod: answers with its name, fails its health checks or its requests when told so. */
class Pod {
  readonly name: string;
  status = 200;
  healthy = true;
  readonly seen: IncomingMessage[] = [];
  #endpoint: HttpEndpoint | undefined;

  constructor(name: string) {
    this.name = name;
  }

  async start(): Promise<void> {
    const server: Server = createServer((request, response) => {
      if (request.url === '/health') {
        response.writeHead(this.healthy ? 200 : 503).end();
        return;
      }
      this.seen.push(request);
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => response.writeHead(this.status, { 'x-pod': this.name }).end(`${this.name} ${body}`));
    });
    this.#endpoint = await listenHttp(server, '127.0.0.1', 0);
  }

  get address(): string {
    return this.#endpoint?.url.slice('http://'.length) ?? '';
  }

  async stop(): Promise<void> {
    await this.#endpoint?.stop();
  }
}

const pods = { near: new Pod('near'), near2: new Pod('near2'), far: new Pod('far') };
/** In the order in which they lie on a line. */
const places: readonly string[] = ['near', 'far', 'third'];
let backends: readonly Backend[] = [];
const running: FrontEnd[] = [];

async function frontEnd(name: string, others: readonly FrontEnd[] = []): Promise<FrontEnd> {
  const started = await startFrontEnd({
    frontEnd: name,
    listen: [{ address: '127.0.0.1', port: 0 }],
    admin: { address: '127.0.0.1', port: 0 },
    others: others.map(({ adminUrl }) => ({ frontEnd: 'far', url: adminUrl })),
    backends: async () => backends,
    distance: (from, region) => Math.abs(places.indexOf(from) - places.indexOf(region)),
    failoverThreshold: 0.7,
    thresholds: { healthy: 2, unhealthy: 2 },
    check: { path: '/health', intervalMs: 20, timeoutMs: 1000 },
    planEveryMs: 20,
    clock: systemClock,
  });
  running.push(started);
  return started;
}

function backend(name: string, region: string, maxRatePerEndpoint: number, ...of: readonly Pod[]): Backend {
  return {
    name,
    region,
    zone: 'a',
    maxRatePerEndpoint,
    capacityScaler: 1,
    endpoints: of.map(({ address }) => address),
  };
}

const ask = async (through: FrontEnd, init?: RequestInit): Promise<string> => {
  const answer = await fetch(`${through.urls[0]}/watch`, init);
  return `${answer.status} ${(await answer.text()).trim()}`;
};

const answers = (through: FrontEnd, wanted: string): Promise<true> =>
  eventually(`the answer ${wanted}`, async () => (await ask(through)) === wanted, { timeoutMs: 10_000, everyMs: 20 });

beforeEach(async () => {
  for (const pod of Object.values(pods)) {
    pod.status = 200;
    pod.healthy = true;
    pod.seen.length = 0;
    await pod.start();
  }
  backends = [backend('near-a', 'near', 1000, pods.near), backend('far-a', 'far', 1000, pods.far)];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await Promise.all(Object.values(pods).map((pod) => pod.stop()));
});

describe('a front end', () => {
  it('serves from the nearest region, with the address of the client, and counts by region', async () => {
    const near = await frontEnd('near');
    expect(await ask(near, { headers: { 'x-forwarded-for': '192.0.2.7' } })).toBe('200 near');
    expect(pods.near.seen[0]?.headers['x-forwarded-for']).toBe('192.0.2.7,127.0.0.1,127.0.0.1');
    expect(await ask(near, { method: 'POST', body: 'words' })).toBe('200 near words');
    const counted = await (await fetch(`${near.adminUrl}/metrics`)).text();
    expect(counted).toContain(
      'balancer_requests_total{region="near",backend="near-a",response_code_class="2xx",front_end="near"} 2',
    );
    expect(counted).toContain('balancer_healthy_endpoints{region="far",backend="far-a",front_end="near"} 1');
  });

  it('goes to the next region when the nearest fails its health checks, and comes back', async () => {
    const near = await frontEnd('near');
    pods.near.healthy = false;
    await answers(near, '200 far');
    pods.near.healthy = true;
    await answers(near, '200 near');
  });

  it('spills what the nearest region has no room for, and no more', async () => {
    backends = [backend('near-a', 'near', 25, pods.near), backend('far-a', 'far', 1000, pods.far)];
    const near = await frontEnd('near');
    const until = Date.now() + 3000;
    const served = new Map<string, number>();
    while (Date.now() < until) {
      const answer = await ask(near);
      if (Date.now() > until - 1500) served.set(answer, (served.get(answer) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 7));
    }
    const [home = 0, away = 0] = ['200 near', '200 far'].map((one) => served.get(one));
    // 25 a second for 1.5 s; the rest, which depends on how fast this machine asks, goes far.
    expect(home).toBeGreaterThan(15);
    expect(home).toBeLessThan(60);
    expect(away).toBeGreaterThan(0);
  });

  it('leaves the room of the next region to users who are nearer to it, and goes further', async () => {
    backends = [
      backend('near-a', 'near', 1, pods.near2),
      backend('far-a', 'far', 5, pods.far),
      backend('third-a', 'third', 1000, pods.near),
    ];
    const far = await frontEnd('far');
    const near = await frontEnd('near', [far]);
    const shares = async (): Promise<Readonly<Record<string, number>>> => {
      const status = (await (await fetch(`${near.adminUrl}/status`)).json()) as {
        backends: { backend: string; requestsPerSecond: number }[];
      };
      return Object.fromEntries(status.backends.map((one) => [one.backend, one.requestsPerSecond]));
    };
    const patience = { timeoutMs: 10_000, everyMs: 20 };
    await Promise.all(Array.from({ length: 20 }, () => ask(near)));
    await eventually('a spill', async () => ((await shares())['far-a'] ?? 0) > 0, patience);
    const look = async (): Promise<boolean> => {
      await Promise.all(Array.from({ length: 20 }, () => Promise.all([ask(near), ask(far)])));
      const { 'far-a': there = 0, 'third-a': further = 0 } = await shares();
      return there === 0 && further > 0;
    };
    await eventually('the spill to go further', look, patience);
  });

  it('sends a request without a body once more to another endpoint, and one with a body never', async () => {
    backends = [backend('near-a', 'near', 1000, pods.near, pods.near2)];
    const near = await frontEnd('near');
    pods.near.status = 503;
    for (let turn = 0; turn < 4; turn += 1) expect(await ask(near)).toBe('200 near2');
    const posts = await Promise.all([0, 1].map(() => ask(near, { method: 'POST', body: 'x' })));
    expect(posts.toSorted()).toEqual(['200 near2 x', '503 near x']);
  });

  it('sends a request once more when the connection breaks, and says 502 when that breaks too', async () => {
    backends = [backend('near-a', 'near', 1000, pods.near, pods.near2)];
    const near = await frontEnd('near');
    await pods.near.stop();
    expect(await ask(near)).toBe('200 near2');
    expect(await ask(near)).toBe('200 near2');
  });

  it('says 503 when nothing is healthy, and takes endpoints that come later once they pass two checks', async () => {
    backends = [];
    const near = await frontEnd('near');
    expect(await ask(near)).toBe('503 no healthy backend');
    backends = [backend('near-a', 'near', 1000, pods.near)];
    await answers(near, '200 near');
  });
});
