import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { systemClock } from './clock.ts';
import { type EndpointOptions, serveAgentEndpoint } from './endpoint.ts';
import { silentLog } from './log.ts';
import { createRegistry, Gauge } from './metrics.ts';

const door = () => ({ peers: [], networks: [] });
const endpointWith = (more: Partial<EndpointOptions> = {}) => {
  const registry = createRegistry('test');
  new Gauge({ name: 'tideline_test', help: 'A test.', registers: [registry] }).set(7);
  const common = { host: '127.0.0.1', port: 0, registry, door, names: ['blade'], clock: systemClock, log: silentLog };
  return serveAgentEndpoint({ ...common, status: () => ({ phase: 'live' }), ...more });
};

/** Sends text on a connection of its own; resolves with all that comes back until the end. */
async function say(url: string, text: string, from = '127.0.0.1'): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), localAddress: from });
  socket.on('error', () => {});
  socket.end(text);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
  });
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return answer;
}

it('serves metrics, status and health, and says what there is otherwise', async () => {
  let broken = false;
  let problems: readonly string[] = [];
  const endpoint = await endpointWith({
    health: () => problems,
    status: () => {
      if (broken) throw new Error('no status');
      return { phase: 'live' };
    },
  });
  try {
    const metrics = await fetch(`${endpoint.url}/metrics`);
    expect(await metrics.text()).toContain('tideline_test{component="test"} 7');
    expect(await (await fetch(`${endpoint.url}/status`)).json()).toEqual({ phase: 'live' });
    expect(await (await fetch(`${endpoint.url}/healthz`)).text()).toBe('ok\n');
    problems = ['SessionDown: the only session is down', 'NginxUnreachable'];
    const unhealthy = await fetch(`${endpoint.url}/healthz`);
    expect([unhealthy.status, await unhealthy.text()]).toEqual([503, `${problems.join('\n')}\n`]);
    expect(await (await fetch(`${endpoint.url}/livez`)).text()).toBe('ok\n');
    expect((await fetch(`${endpoint.url}/`)).status).toBe(404);
    broken = true;
    const failed = await fetch(`${endpoint.url}/status`);
    expect([failed.status, await failed.text()]).toEqual([500, 'no status\n']);
  } finally {
    await endpoint.stop();
  }
});

it('serves the documents of the agent by their paths, and nothing that an object has by nature', async () => {
  const endpoint = await endpointWith({
    documents: { '/vips': () => ({ vips: [] }), '/status/route': (query) => ({ host: query.get('host') }) },
  });
  try {
    expect(await (await fetch(`${endpoint.url}/vips`)).json()).toEqual({ vips: [] });
    expect(await (await fetch(`${endpoint.url}/status/route?host=a%2eb&x`)).json()).toEqual({ host: 'a.b' });
    expect(await (await fetch(`${endpoint.url}/status/route`)).json()).toEqual({ host: null });
    expect(await say(endpoint.url, 'GET constructor HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 404 /);
  } finally {
    await endpoint.stop();
  }
});

it('rejects when the port is taken', async () => {
  const first = await endpointWith();
  try {
    await expect(endpointWith({ port: Number(new URL(first.url).port) })).rejects.toThrow('EADDRINUSE');
  } finally {
    await first.stop();
  }
});

it.each([
  ['POST', 'POST /status HTTP/1.1\r\nHost: blade\r\nContent-Length: 0\r\n\r\n', 405, 'MethodNotAllowed'],
  ['a name of somebody else', 'GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421, 'ForeignHost'],
  ['garbage', 'hello\r\n\r\n', 400, 'BadRequest'],
])('refuses %s, by name, and counts it', async (_, text, code, reason) => {
  const endpoint = await endpointWith();
  try {
    const answer = await say(endpoint.url, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
    expect(answer).toMatch(new RegExp(`${reason}\n$`));
    expect(await say(endpoint.url, 'GET /metrics HTTP/1.0\r\n\r\n')).toContain(
      `tideline_endpoint_refused_total{reason="${reason}",component="test"} 1`,
    );
  } finally {
    await endpoint.stop();
  }
});

it('answers HEAD without the document', async () => {
  const endpoint = await endpointWith();
  try {
    const answer = await say(endpoint.url, 'HEAD /healthz HTTP/1.1\r\nHost: blade\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*content-length: 3\r\n[^]*\r\n\r\n$/);
  } finally {
    await endpoint.stop();
  }
});

it('answers one request a connection, whatever follows it', async () => {
  let asked = 0;
  const endpoint = await endpointWith({ status: () => ++asked });
  try {
    await say(endpoint.url, 'GET /status HTTP/1.1\r\nHost: blade\r\n\r\n'.repeat(1000));
    expect(asked).toBe(1);
  } finally {
    await endpoint.stop();
  }
});

it.each([
  ['sends no whole request', 'GET /status HT', 3000],
  ['does not take its answer', 'GET /status HTTP/1.1\r\nHost: blade\r\n\r\n', 5000],
])('ends the connection of a visitor who %s', async (_, text, afterMs) => {
  const clock = new FakeClock();
  const endpoint = await endpointWith({ clock, status: () => 'x'.repeat(32 << 20) });
  const socket = connect(Number(new URL(endpoint.url).port), '127.0.0.1').on('error', () => {});
  try {
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.pause();
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    // A later visitor is answered, so the text of the first one has been read.
    await say(endpoint.url, 'GET /healthz HTTP/1.0\r\n\r\n');
    await clock.advance(afterMs);
    socket.resume();
    await closed;
    expect(await say(endpoint.url, 'GET /metrics HTTP/1.0\r\n\r\n')).toContain('reason="SlowVisitor"');
  } finally {
    socket.destroy();
    await endpoint.stop();
  }
});

/** An agent with few file descriptors. Its status says whether it could still open files for itself, and its memory. */
const agent = `
  import { closeSync, openSync } from 'node:fs';
  import { createRegistry } from './src/runtime/metrics.ts';
  import { serveAgentEndpoint } from './src/runtime/endpoint.ts';
  import { systemClock } from './src/runtime/clock.ts';
  import { silentLog } from './src/runtime/log.ts';
  let failed = 0;
  setInterval(() => {
    const files = [];
    try { for (let n = 0; n < 40; n++) files.push(openSync('/dev/null')); } catch { failed++; }
    files.forEach((file) => closeSync(file));
  }, 5);
  const ballast = 'x'.repeat(300_000);
  const status = () => ({ failed, rss: process.memoryUsage.rss(), ballast });
  const endpoint = await serveAgentEndpoint({ host: '0.0.0.0', port: 0, registry: createRegistry('test'), status,
    door: () => ({ peers: [], networks: [] }), names: [], clock: systemClock, log: silentLog });
  console.log(endpoint.url);
`;

describe('under attack', () => {
  let child: ChildProcess;
  let port: number;
  const attackers: Socket[] = [];

  beforeEach(async () => {
    const script =
      'ulimit -n 192; exec "$0" --input-type=module-typescript --disable-warning=ExperimentalWarning -e "$1"';
    child = spawn('bash', ['--norc', '-c', script, process.execPath, agent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    port = Number(new URL(String(line).trim()).port);
  });
  afterEach(() => {
    for (const socket of attackers.splice(0)) socket.destroy();
    child.kill('SIGKILL');
  });

  const attack = (text: string, count: number): Promise<unknown> => {
    const sockets = Array.from({ length: count }, () => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.66' });
      socket.on('error', () => {}).pause();
      return socket;
    });
    attackers.push(...sockets);
    return Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once('close', resolve).once('connect', () => socket.write(text, () => resolve()));
          }),
      ),
    );
  };

  /** The agent's status, as a peer with another address sees it. */
  const ask = (): Promise<{ readonly failed: number; readonly rss: number }> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path: '/status',
        localAddress: '127.0.0.12',
        agent: false,
        timeout: 10_000,
      };
      httpGet(options, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => {
          // While the attackers hold every place, others are told to come back.
          if (response.statusCode === 200)
            resolve(JSON.parse(body) as { readonly failed: number; readonly rss: number });
          else reject(new Error(`${response.statusCode} ${body}`));
        });
      })
        .on('timeout', reject)
        .on('error', reject);
    });

  it('by two thousand half-open requests it keeps its files, and answers others', async () => {
    for (let round = 0; round < 4; round++) {
      await attack('GET /status HTTP/1.1\r\nHost: ', 500);
      expect((await ask()).failed).toBe(0);
    }
  });

  it('by visitors who pipeline and never read it keeps its memory, and answers others', async () => {
    const before = (await ask()).rss;
    for (let round = 0; round < 4; round++) {
      await attack('GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(2000), 50);
      const { rss, failed } = await eventually('an answer', ask, { timeoutMs: 5000, everyMs: 50 });
      expect(failed).toBe(0);
      expect(rss - before).toBeLessThan(100 << 20);
    }
  });
});
