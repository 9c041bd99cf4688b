import { readFileSync } from 'node:fs';
import { Client } from 'undici';
import { parse } from 'yaml';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  readonly users: readonly { readonly user: Readonly<Record<string, string>> }[];
}

/** What the apiserver answered, with the whole body (a text when it is no JSON): a client for agents shows less of it. */
export interface RawAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends requests of the kubeconfig's only user one after the other over one connection that is kept. */
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

  /** `body` is sent as JSON, as it is when it is a text. */
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
