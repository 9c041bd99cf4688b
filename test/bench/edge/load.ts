import { createConnection, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** The address at which the upstream was reached, which is its answer (startUpstream). */
  readonly body: string;
}

/** One keep-alive HTTP connection to a port of 127.0.0.1, one request at a time; cheap beside what it measures. */
export class Client {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = '';
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  static accepts(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  }

  get(host: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#connected().write(`GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connected(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket;
    const socket = createConnection(this.#port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    this.#received = '';
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#parse(socket);
    });
    const lost = (error?: Error): void => {
      this.#waiting?.reject(error ?? new Error('nginx closed the connection before its answer'));
      this.#waiting = undefined;
    };
    socket.on('error', lost);
    socket.on('close', () => lost());
    this.#socket = socket;
    return socket;
  }

  #parse(socket: Socket): void {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    const body = this.#received.slice(end + 4);
    if (body.length < length) return;
    this.#received = '';
    if (/^connection: close/im.test(head)) {
      socket.removeAllListeners('close');
      this.close();
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), body: body.trim() });
  }
}

/** `count` requests over `connections` connections, host after host; rejects when one is not answered with 200. */
export async function load(port: number, hosts: readonly string[], connections: number, count: number): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    const client = new Client(port);
    try {
      while (next < count) {
        const host = hosts[next % hosts.length] ?? '';
        next += 1;
        const { status } = await client.get(host);
        if (status !== 200) throw new Error(`${host} was answered with ${status}`);
      }
    } finally {
      client.close();
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
}

/**
 * Asks until the host is served, by the endpoint `address` if given; a pause leaves the processor to the programs that are
 * measured.
 */
export async function untilServed(client: Client, host: string, address?: string, pauseMs = 0): Promise<void> {
  for (const deadline = performance.now() + 20_000; performance.now() < deadline; ) {
    const { status, body } = await client.get(host);
    if (status === 200 && (address === undefined || body === address)) return;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(`${host} is not served within 20 s`);
}
