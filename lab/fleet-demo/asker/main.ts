import { messageOf } from '../../../src/model/values.ts';
import { Connections } from '../../clients/request.ts';
import type { Asked, AskerConfig } from '../requests.ts';

/**
 * The client behind the router, in its namespace: it asks an address in a steady stream, whatever happens to the requests before. Every
 * request that ended is a line of JSON on standard output.
 */
const config = JSON.parse(process.argv[2] ?? '{}') as AskerConfig;
const connections = new Connections();

async function ask(): Promise<void> {
  const { address, host, source, timeoutMs } = config;
  const startedAtMs = Date.now();
  const started = performance.now();
  const outcome = await connections
    .get({ protocol: 'http', address, host, source, path: '/', timeoutMs })
    .then(({ answer: { status, body }, retried }) =>
      status === 200 ? { retried, pod: body.trim() } : { retried, failure: `Status${status}` },
    )
    .catch((error: unknown) => ({ retried: false, failure: messageOf(error) }));
  const asked: Asked = { startedAtMs, tookMs: Math.round(performance.now() - started), ...outcome };
  process.stdout.write(`${JSON.stringify(asked)}\n`);
}

setInterval(() => void ask(), 1000 / config.requestsPerSecond);
