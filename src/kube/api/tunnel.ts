import { request as httpRequest, type RequestOptions } from 'node:http';
import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { withoutUndefined } from '../../model/values.ts';
import type { Tls } from './access/access.ts';
import { ApiError } from './client.ts';

/**
 * The limit for connecting. Node's Agent does not tell when the caller has given up, so nothing else would end a silent
 * connection.
 */
const handshakeMs = 30_000;

type Connected = (error: Error | null, socket: Duplex) => void;

/** Connects through an HTTP proxy by CONNECT. TLS is with the apiserver, so the proxy learns nothing but the apiserver's name. */
export class TunnelAgent extends Agent {
  readonly #proxy: URL;
  readonly #tls: Tls;
  readonly #limitMs: number;

  constructor(options: AgentOptions, proxy: string, tls: Tls, limitMs = handshakeMs) {
    super(options);
    this.#limitMs = limitMs;
    this.#proxy = new URL(proxy);
    this.#tls = tls;
    if (this.#proxy.protocol !== 'http:')
      throw new ApiError(
        0,
        'NoCredentials',
        `proxy-url: only http:// proxies are supported, not ${this.#proxy.protocol}//`,
      );
  }

  override createConnection(
    options: RequestOptions & { readonly servername?: string },
    callback?: Connected,
  ): undefined {
    const host = options.host ?? '';
    const { username, password, hostname, port } = this.#proxy;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      'base64',
    );
    const asked = httpRequest({
      method: 'CONNECT',
      host: hostname.replace(/^\[|\]$/g, ''),
      agent: false,
      port: port === '' ? 80 : port,
      path: `${host.includes(':') ? `[${host}]` : host}:${options.port}`,
      headers: username === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` },
    });
    // Node itself calls the callback with the error alone, which its type does not allow.
    const fail = (error: Error): void => {
      clearTimeout(late);
      (callback as ((error: Error) => void) | undefined)?.(error);
    };
    let end = (error: Error): unknown => asked.destroy(error);
    const late = setTimeout(
      () => end(new Error(`the proxy ${hostname} made no connection within ${this.#limitMs} ms`)),
      this.#limitMs,
    );
    asked.on('error', fail);
    asked.on('connect', (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        return fail(new Error(`the proxy ${hostname} answered ${answer.statusCode}`));
      }
      const servername = this.#tls.servername ?? options.servername;
      const secure = tlsConnect({ ...this.#tls, socket, host, ...withoutUndefined({ servername }) });
      end = (error) => secure.destroy(error);
      secure.once('error', fail);
      secure.once('secureConnect', () => {
        clearTimeout(late);
        secure.off('error', fail);
        callback?.(null, secure);
      });
      return undefined;
    });
    asked.end();
    return undefined;
  }
}
