import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP forwarder between an agent and its kube-apiserver, which a test can shut as a failing network would. */
export class Gate {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  /** The number of connections accepted so far. */
  connections = 0;

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port: Number(port) };
  }

  /** Listens on the address of its target, so that the certificate fits. */
  static async open(url: string): Promise<Gate> {
    const gate = new Gate(url);
    await gate.restore();
    return gate;
  }

  get url(): string {
    return `https://${this.#target.host}:${this.#port}`;
  }

  /** The number of connections that are open now. */
  get open(): number {
    return this.#sockets.size / 2;
  }

  get port(): number {
    return this.#port;
  }

  /** Breaks all connections, and refuses new ones until `restore`. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });
  }

  async restore(): Promise<void> {
    const server = createServer((inner) => this.#forward(inner));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#target.host, resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  #forward(inner: Socket): void {
    this.connections += 1;
    const outer = connect(this.#target);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
