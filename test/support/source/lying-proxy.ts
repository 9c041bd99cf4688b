import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { Agent, createServer, request, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { ControlPlane } from '../../../lab/control-plane/control-plane.ts';

/** A request of the source at the proxy. */
export interface Question {
  readonly kind: 'list' | 'page' | 'watch';
  readonly url: string;
  readonly response: ServerResponse;
}

/** Answers a request in the place of the apiserver, or returns false, also later, to let the request through. */
export type Lie = (question: Question) => boolean | Promise<boolean>;

/**
 * A proxy in front of an apiserver, with the apiserver's certificate. It forwards requests and answers, and gives answers that an
 * apiserver never gives when a test wants it to. A client must have a token, because a certificate does not pass a proxy.
 */
export class LyingProxy {
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<ServerResponse>();
  lie: Lie | undefined;
  url = '';
  /** The number of watches so far that the apiserver accepted. */
  opened = 0;

  private constructor(plane: ControlPlane, tls: { readonly cert: string; readonly key: string; readonly ca: string }) {
    const { hostname, port } = new URL(plane.url);
    this.#agent = new Agent({ keepAlive: true, ca: tls.ca });
    this.#server = createServer({ cert: tls.cert, key: tls.key }, (incoming, outgoing) => {
      const { url = '', method, headers } = incoming;
      const kind = url.includes('watch=true') ? 'watch' : url.includes('continue=') ? 'page' : 'list';
      const through = (): void => {
        if (outgoing.destroyed) return;
        const forward = request({ hostname, port, method, path: url, headers, agent: this.#agent }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          outgoing.flushHeaders();
          if (kind === 'watch' && answer.statusCode === 200) {
            this.#watches.add(outgoing);
            this.opened += 1;
          }
          answer.pipe(outgoing);
          answer.on('error', () => outgoing.destroy());
        });
        forward.on('error', () => outgoing.destroy());
        outgoing.on('close', () => forward.destroy());
        incoming.pipe(forward);
      };
      outgoing.on('close', () => this.#watches.delete(outgoing));
      outgoing.on('error', () => undefined);
      void Promise.resolve(this.lie?.({ kind, url, response: outgoing }) ?? false).then((answered) => {
        if (!answered) through();
      });
    });
    this.#server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  static async open(plane: ControlPlane): Promise<LyingProxy> {
    const pki = (name: string): Promise<string> => readFile(join(plane.folder, 'pki', name), 'utf8');
    const [cert, key, ca] = await Promise.all([
      pki('apiserver.crt'),
      pki('apiserver.key'),
      readFile(plane.authority, 'utf8'),
    ]);
    const proxy = new LyingProxy(plane, { cert, key, ca });
    const { hostname } = new URL(plane.url);
    proxy.#server.listen(0, hostname);
    await once(proxy.#server, 'listening');
    const address = proxy.#server.address();
    proxy.url = `https://${hostname}:${typeof address === 'object' ? address?.port : ''}`;
    return proxy;
  }

  /** The number of connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** The number of watches that are open now. */
  get watches(): number {
    return this.#watches.size;
  }

  /** Writes these bytes into every open watch. */
  inject(bytes: string | Buffer): void {
    for (const watch of this.#watches) watch.write(bytes);
  }

  /** Breaks every watch in the middle of its stream, without the end of its encoding. */
  breakWatches(): void {
    for (const watch of this.#watches) watch.destroy();
  }

  /** Ends every watch as a server does. */
  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Makes a kubeconfig with which a source connects through the proxy, as a ServiceAccount that may do everything. */
export async function throughProxy(plane: ControlPlane, proxy: LyingProxy): Promise<string> {
  await plane.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'liar-reads' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'liar', namespace: 'video' }],
  });
  const direct = await readFile(await plane.kubeconfigForServiceAccount('video', 'liar'), 'utf8');
  return direct.replace(plane.url, proxy.url);
}
