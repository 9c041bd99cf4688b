import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { withoutUndefined } from '../../../src/model/values.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { sleep } from '../../../src/runtime/clock.ts';
import { listenHttp } from '../../../src/runtime/http.ts';
import { Counter, Gauge, Registry } from '../../../src/runtime/metrics.ts';
import type { Backend } from './backend.ts';
import { Choice, type ChoiceRules, type Target } from './choice.ts';
import { proxy } from './proxy.ts';
import { Rate } from './rate.ts';
import type { Arrival } from './waterfall.ts';

export interface FrontEndOptions extends ChoiceRules {
  /** Where users come: the anycast addresses. With a certificate, for HTTPS. */
  readonly listen: readonly {
    readonly address: string;
    readonly port: number;
    readonly certificate?: { readonly cert: string; readonly key: string };
  }[];
  /** Where other front ends ask for what arrives here, and operators for metrics. */
  readonly admin: { readonly address: string; readonly port: number };
  /** The address from which endpoints and other front ends are asked: an anycast one would lead answers elsewhere. */
  readonly source?: string;
  readonly others: readonly { readonly frontEnd: string; readonly url: string }[];
  /** Reads the backends; asked before each plan. Where it rejects, those before stay. */
  readonly backends: () => Promise<readonly Backend[]>;
  readonly check: { readonly path: string; readonly intervalMs: number; readonly timeoutMs: number };
  /** How often shares are computed anew. */
  readonly planEveryMs: number;
  readonly clock: Clock;
}

export interface FrontEnd {
  readonly adminUrl: string;
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Over this time requests are counted to a rate. */
const rateWindowMs = 2000;
/** `timeoutSec` of a backend service, as it is when nobody sets it. */
const backendTimeoutMs = 30_000;
/** How long an idle connection of a client is kept; Google's cannot be changed. */
const clientKeepAliveMs = 610_000;

/** Starts the front end of one place. It listens when it has read the backends and checked each endpoint once. */
export async function startFrontEnd(options: FrontEndOptions): Promise<FrontEnd> {
  const { clock, frontEnd, check, others } = options;
  const choice = new Choice(options);
  const rate = new Rate(rateWindowMs, clock.monotonic());
  const { registry, count, show } = metrics(frontEnd);
  const agent = new Agent({ keepAlive: true, ...withoutUndefined({ localAddress: options.source }) });
  const ask = (url: string, timeoutMs: number): Promise<string> => get(agent, url, timeoutMs);
  let stopped = false;

  const plan = async (): Promise<void> => {
    const [backends, ...loads] = await Promise.all([
      options.backends().catch(() => undefined),
      ...others.map(async (other): Promise<Arrival> => {
        // A front end that does not answer gets no users: routers lead them to others.
        const text = await ask(`${other.url}/load`, options.planEveryMs).catch(() => '0');
        return { frontEnd: other.frontEnd, requestsPerSecond: Number(text) };
      }),
    ]);
    if (backends !== undefined) choice.configure(backends);
    const own = { frontEnd, requestsPerSecond: rate.perSecond(clock.monotonic()) };
    choice.plan([own, ...loads], clock.monotonic());
    show(choice);
  };
  const checkAll = async (): Promise<void> => {
    await Promise.all(
      choice.endpoints.map(async (endpoint) => {
        const passed = await ask(`http://${endpoint}${check.path}`, check.timeoutMs).then(
          () => true,
          () => false,
        );
        choice.checked(endpoint, passed);
      }),
    );
  };
  const forever = async (work: () => Promise<void>, everyMs: number): Promise<void> => {
    while (!stopped) {
      await sleep(clock, everyMs);
      if (!stopped) await work();
    }
  };

  await plan();
  for (let round = 0; round < options.thresholds.healthy; round += 1) await checkAll();
  await plan();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    rate.count(clock.monotonic());
    const answered = (status: number, target?: Target): void => count(status, target?.backend);
    void proxy(request, response, { agent, timeoutMs: backendTimeoutMs, next: (not) => choice.next(not), answered });
  };
  const entries = await Promise.all(
    options.listen.map(({ address, port, certificate }) => {
      const server = certificate === undefined ? createServer(serve) : createSecureServer(certificate, serve);
      server.keepAliveTimeout = clientKeepAliveMs;
      return listenHttp(server, address, port);
    }),
  );
  const admin = await listenHttp(
    createServer((request, response) => {
      void answerAdmin(request.url ?? '', { choice, registry, load: () => rate.perSecond(clock.monotonic()) }).then(
        ([status, type, body]) => response.writeHead(status, { 'content-type': type }).end(body),
      );
    }),
    options.admin.address,
    options.admin.port,
  );
  const loops = [forever(plan, options.planEveryMs), forever(checkAll, check.intervalMs)];
  return {
    adminUrl: admin.url,
    urls: entries.map(({ url }) => url),
    async stop() {
      stopped = true;
      await Promise.all([...entries, admin].map((one) => one.stop()));
      agent.destroy();
      await Promise.all(loops);
    },
  };
}

interface AdminState {
  readonly choice: Choice;
  readonly registry: Registry;
  readonly load: () => number;
}

async function answerAdmin(
  url: string,
  { choice, registry, load }: AdminState,
): Promise<readonly [status: number, type: string, body: string]> {
  if (url === '/load') return [200, 'text/plain', String(load())];
  if (url === '/status')
    return [200, 'application/json', JSON.stringify({ requestsPerSecond: load(), backends: choice.status() })];
  if (url === '/metrics') return [200, registry.contentType, await registry.metrics()];
  return [404, 'text/plain', 'try /load, /status or /metrics\n'];
}

/** What a load balancer counts: requests by the region that served them, and how well its backends are. */
function metrics(frontEnd: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ front_end: frontEnd });
  const requests = new Counter({
    name: 'balancer_requests_total',
    help: 'Requests that this front end answered, by the backend that served them (empty when none did) and class of status.',
    labelNames: ['region', 'backend', 'response_code_class'],
    registers: [registry],
  });
  const healthy = new Gauge({
    name: 'balancer_healthy_endpoints',
    help: 'Endpoints of the backend that pass health checks.',
    labelNames: ['region', 'backend'],
    registers: [registry],
  });
  const count = (status: number, backend?: Backend): void =>
    requests.inc({
      region: backend?.region ?? '',
      backend: backend?.name ?? '',
      response_code_class: `${Math.floor(status / 100)}xx`,
    });
  const show = (choice: Choice): void => {
    healthy.reset();
    for (const { backend, region, healthy: endpoints } of choice.status()) healthy.set({ region, backend }, endpoints);
  };
  return { registry, count, show };
}

/** The body of an answer with status 200; rejects for any other, and when none comes in time. */
function get(agent: Agent, url: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = send(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        clearTimeout(timer);
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    const timer = setTimeout(() => request.destroy(new Error('Timeout')), timeoutMs);
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}
