import { readFileSync } from 'node:fs';
import { Client } from 'undici';
import { parse } from 'yaml';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** An answer of the apiserver with its whole body (a text when it is not JSON), of which the client for agents shows less. */
export interface RawAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends requests as the kubeconfig's only user, one after the other, over one kept connection. */
export class RawClient {
  readonly #client: Client;

  constructor(kubeconfig: string) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const cluster = clusters[0]?.cluster ?? {};
    const user = users[0]?.user ?? {};
    this.#client = new Client(cluster['server'] ?? '', {
      connect: {
        ca: contentOf(cluster, 'certificate-authority'),
        cert: contentOf(user, 'client-certificate'),
        key: contentOf(user, 'client-key'),
      },
    });
  }

  /** Sends one request. The `body` is sent as JSON, or unchanged when it is a text. */
  async send(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<RawAnswer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await this.#client.request({
      method,
      path,
      headers: { 'content-type': contentType },
      ...(body === undefined ? {} : { body: text }),
    });
    return { status: answer.statusCode, body: parsed(await answer.body.text()) };
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }
}

function contentOf(from: Readonly<Record<string, string>>, key: string): Buffer {
  const data = from[`${key}-data`];
  return data === undefined ? readFileSync(from[key] ?? '') : Buffer.from(data, 'base64');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
