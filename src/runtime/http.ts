import type { Server } from 'node:http';

export interface HttpEndpoint {
  /** The address on which it listens, `http://host:port`; for port 0, with the port that the system chose. */
  readonly url: string;
  /** Stops the server and closes every connection it has. */
  stop(): Promise<void>;
}

/** Makes a server listen; rejects when it cannot. */
export async function listenHttp(server: Server, host: string, port: number): Promise<HttpEndpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async stop() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      await closed;
    },
  };
}
