import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:https';
import { join } from 'node:path';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';

/**
 * A proxy in front of the apiserver, with the apiserver's certificate. It gives the same answers with a Date that is wrong
 * by `skewMs`.
 */
export interface SkewedProxy {
  readonly port: number;
  skewMs: number;
  stop(): Promise<void>;
}

export async function startSkewedProxy(plane: ControlPlane): Promise<SkewedProxy> {
  const pki = (name: string): Promise<string> => readFile(join(plane.folder, 'pki', name), 'utf8');
  const [cert, key, ca] = await Promise.all([
    pki('apiserver.crt'),
    pki('apiserver.key'),
    readFile(plane.authority, 'utf8'),
  ]);
  const { hostname, port } = new URL(plane.url);
  const proxy = { port: 0, skewMs: 0, stop: () => close(server) };
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const forward = request({ hostname, port, method, path: url, headers, ca }, (answer) => {
      const date = new Date(Date.now() + proxy.skewMs).toUTCString();
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, date });
      answer.pipe(outgoing);
    });
    forward.on('error', () => outgoing.destroy());
    incoming.pipe(forward);
  });
  server.listen(0, hostname);
  await once(server, 'listening');
  const address = server.address();
  proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
  return proxy;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
