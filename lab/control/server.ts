import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { InputError } from '../../src/model/problem.ts';
import { messageOf } from '../../src/model/values.ts';
import { demoRunning, type Occupant } from '../state.ts';

/** The operations that the control socket offers on a running lab. */
export interface ControlTarget {
  readonly occupant: Occupant;
  readonly stateFolder: string;
  status(options: { readonly memory: boolean }): Promise<unknown>;
  fault(name: string, target: string | undefined): Promise<unknown>;
  heal(name: string | undefined): Promise<unknown>;
  /** Ends the lab, after the answer has been sent. */
  down(): void;
}

/** Serves HTTP on a unix socket: GET / and /status, POST /fault, /heal, /down. Bad input is answered 400 with its problems. */
export async function serveControl(socketPath: string, target: ControlTarget): Promise<{ stop(): Promise<void> }> {
  await rm(socketPath, { force: true });
  const server = createServer((request, response) => {
    void answer(request, target).then(({ code, body }) => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    });
  });
  await listenClosed(server, socketPath);
  return {
    async stop() {
      server.close();
      server.closeAllConnections();
      await rm(socketPath, { force: true });
    },
  };
}

/** Makes the server listen on a socket that only its owner may open, from the first moment on: whoever opens it rules the lab. */
async function listenClosed(server: Server, socketPath: string): Promise<void> {
  const before = process.umask(0o177);
  try {
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // The socket is made during the call; only the event comes later.
      server.listen(socketPath, resolve);
    });
    process.umask(before);
    await listening;
  } finally {
    process.umask(before);
  }
}

async function answer(request: IncomingMessage, target: ControlTarget): Promise<{ code: number; body: unknown }> {
  try {
    const url = new URL(request.url ?? '/', 'http://lab');
    const wanted = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /':
        return { code: 200, body: { occupant: target.occupant } };
      case 'GET /status':
        return { code: 200, body: await target.status({ memory: wanted('memory') !== undefined }) };
      case 'POST /fault':
        return { code: 200, body: await target.fault(wanted('name') ?? '', wanted('target')) };
      case 'POST /heal':
        return { code: 200, body: await target.heal(wanted('name')) };
      case 'POST /down':
        if (target.occupant === 'demo' && wanted('demo') === undefined) throw demoRunning(target.stateFolder);
        setTimeout(() => target.down(), 10);
        return { code: 200, body: {} };
      default:
        return { code: 404, body: { message: 'GET / or /status, POST /fault, /heal or /down' } };
    }
  } catch (error) {
    if (error instanceof InputError) return { code: 400, body: { problems: error.problems } };
    return { code: 500, body: { message: messageOf(error) } };
  }
}
