import { createServer } from 'node:http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { agentPaths } from '../model/contract.ts';
import { messageOf } from '../model/values.ts';
import { type HttpEndpoint, listenHttp } from './http.ts';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Makes the registry of one agent, with the process metrics. The library's global registry is never used. */
export function createRegistry(component: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ component });
  // The default precision of 10 ms wakes an idle agent a hundred times a second: half a percent of a core.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1000 });
  return registry;
}

/**
 * The agent's own HTTP endpoint: `/metrics` (Prometheus text), `/status` (the agent's state as JSON), `/healthz` (200 as
 * long as the process answers).
 */
export async function serveAgentEndpoint(options: {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly status: () => unknown;
}): Promise<HttpEndpoint> {
  const server = createServer((request, response) => {
    void respond(request.url ?? '/', options).then(({ code, type, body }) => {
      response.writeHead(code, { 'content-type': type }).end(body);
    });
  });
  return listenHttp(server, options.host, options.port);
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
}

async function respond(
  path: string,
  options: { readonly registry: Registry; readonly status: () => unknown },
): Promise<Answer> {
  try {
    if (path === agentPaths.metrics)
      return { code: 200, type: options.registry.contentType, body: await options.registry.metrics() };
    if (path === agentPaths.status)
      return { code: 200, type: 'application/json', body: `${JSON.stringify(options.status())}\n` };
    if (path === agentPaths.health) return { code: 200, type: 'text/plain', body: 'ok\n' };
    return { code: 404, type: 'text/plain', body: 'try /metrics, /status or /healthz\n' };
  } catch (error) {
    return { code: 500, type: 'text/plain', body: `${messageOf(error)}\n` };
  }
}
