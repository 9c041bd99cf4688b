import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { InputError } from '../../src/model/problem.ts';
import { messageOf } from '../../src/model/values.ts';

/** The operations that the control socket offers on a running lab. */
export interface ControlTarget {
  status(options: { readonly memory: boolean }): Promise<unknown>;
  fault(name: string, target: string | undefined): Promise<unknown>;
  heal(name: string | undefined): Promise<unknown>;
  /** Ends the lab, after the answer has been sent. */
  down(): void;
}

/** Serves HTTP on a unix socket: GET /status, POST /fault, /heal, /down. Bad input is answered 400 with its problems. */
export async function serveControl(socketPath: string, target: ControlTarget): Promise<{ stop(): Promise<void> }> {
  await rm(socketPath, { force: true });
  const server = createServer((request, response) => {
    void answer(request, target).then(({ code, body }) => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    async stop() {
      server.close();
      server.closeAllConnections();
      await rm(socketPath, { force: true });
    },
  };
}

async function answer(request: IncomingMessage, target: ControlTarget): Promise<{ code: number; body: unknown }> {
  try {
    const url = new URL(request.url ?? '/', 'http://lab');
    const wanted = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /status':
        return { code: 200, body: await target.status({ memory: wanted('memory') !== undefined }) };
      case 'POST /fault':
        return { code: 200, body: await target.fault(wanted('name') ?? '', wanted('target')) };
      case 'POST /heal':
        return { code: 200, body: await target.heal(wanted('name')) };
      case 'POST /down':
        setTimeout(() => target.down(), 10);
        return { code: 200, body: {} };
      default:
        return { code: 404, body: { message: 'GET /status, POST /fault, /heal or /down' } };
    }
  } catch (error) {
    if (error instanceof InputError) return { code: 400, body: { problems: error.problems } };
    return { code: 500, body: { message: messageOf(error) } };
  }
}
