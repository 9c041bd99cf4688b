import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { createServer as createRawServer, type Server as RawServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { Network } from '../../../lab/net/network.ts';
import type { CountryRanges } from '../../../src/model/geo/ranges.ts';
import { withoutUndefined } from '../../../src/model/values.ts';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { createDataPlane } from '../../../src/planes/edge/nginx/driver.ts';
import { renderDataPlane } from '../../../src/planes/edge/nginx/render.ts';
import {
  type Backend,
  type DataPlane,
  type Endpoint,
  type Host,
  type Match,
  type RoutingTable,
  zoneMiB,
} from '../../../src/planes/edge/table.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { type Log, silentLog } from '../../../src/runtime/log.ts';
import { type Nginx, startNginx } from '../../support/daemons/nginx.ts';
import { eventuallyWith } from '../../support/eventually.ts';

const run = promisify(execFile);
export const vip = '10.77.0.2';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Subject of the certificate that was presented. */
  readonly certificate?: string;
  readonly protocol?: string;
}

/** The request that an upstream saw. */
export interface Seen {
  readonly who: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Ask {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent;
  readonly serverName?: string;
}

/** nginx in a namespace of its own at 10.77.0.2, pods as servers of this process at 10.77.1.x, clients in this process. */
export class World {
  readonly network = new Network();
  readonly folder: string;
  readonly settings: NginxSettings;
  readonly #servers: Server[] = [];
  readonly #rawServers: RawServer[] = [];
  readonly warnings: Record<string, unknown>[] = [];
  nginx: Nginx;
  plane: DataPlane;

  private constructor(folder: string, settings: NginxSettings, nginx: Nginx, plane: DataPlane) {
    this.folder = folder;
    this.settings = settings;
    this.nginx = nginx;
    this.plane = plane;
  }

  /** `faults` is Lua that runs before the product's own, with `FOLDER` set to the folder of this world. */
  static async create(
    overrides: Partial<NginxSettings> = {},
    faults?: string,
    countries?: CountryRanges,
  ): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'dataplane-'));
    const runDir = join(folder, 'run');
    await mkdir(runDir);
    const settings: NginxSettings = {
      rendered: join(folder, 'nginx'),
      runDir,
      temporaryDir: runDir,
      httpPort: 80,
      httpsPort: 443,
      ipv6: true,
      user: 'root',
      workers: 2,
      accessLog: true,
      syslog: false,
      maxBodyMiB: 64,
      clients: { requests: 4096, bodies: 256 },
      zoneMiB,
      ...overrides,
    };
    await renderDataPlane(settings, Date.now(), countries);
    if (faults !== undefined) {
      const start = join(settings.rendered, 'lua', 'tideline', 'start.lua');
      await writeFile(start, `local FOLDER = "${folder}"\ndo\n${faults}\nend\n${await readFile(start, 'utf8')}`);
    }
    const world = new World(folder, settings, undefined as never, undefined as never);
    try {
      await world.#connect();
      await world.startNginx();
      world.startDriver();
    } catch (error) {
      await world.destroy();
      throw error;
    }
    return world;
  }

  async #connect(): Promise<void> {
    await this.network.addNamespace('edge');
    const name = this.network.kernelName('edge');
    await run('ip', ['link', 'add', 'pods', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await run('ip', ['addr', 'add', '10.77.0.1/16', 'dev', 'pods']);
    await run('ip', ['link', 'set', 'pods', 'up']);
    await this.network.ip('edge', 'addr', 'add', `${vip}/16`, 'dev', 'eth0');
    await this.network.ip('edge', 'link', 'set', 'eth0', 'up');
  }

  async startNginx(): Promise<void> {
    const { rendered, runDir } = this.settings;
    this.nginx = await startNginx({ network: this.network, namespace: 'edge', rendered, runDir });
  }

  startDriver(): void {
    const log: Log = { ...silentLog, warn: (fields) => void this.warnings.push({ ...fields }) };
    this.plane = createDataPlane({
      socketPath: join(this.settings.runDir, 'nginx-control/nginx.sock'),
      clock: systemClock,
      log,
    });
    this.plane.start();
  }

  get alertsFile(): string {
    return join(this.settings.runDir, 'nginx-alerts.log');
  }

  errorLog(): Promise<string> {
    return readFile(join(this.settings.runDir, 'nginx-error.log'), 'utf8');
  }

  accessLog(): Promise<string> {
    return readFile(join(this.settings.runDir, 'nginx-access.log'), 'utf8');
  }

  /** A pod: answers with what it saw as JSON; upgrades to a connection that echoes bytes. */
  async pod(who: string, index: number): Promise<Endpoint> {
    const address = `10.77.1.${index}`;
    await run('ip', ['addr', 'add', `${address}/32`, 'dev', 'pods']);
    const server = createServer((incoming, response) => {
      const seen: Seen = {
        who,
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        headers: incoming.headers,
      };
      incoming.resume();
      if (incoming.url === '/hsts') response.setHeader('Strict-Transport-Security', 'max-age=1');
      if (incoming.url === '/steer') response.setHeader('X-Accel-Redirect', '/.well-known/tideline/blade');
      incoming.on('end', () => response.setHeader('X-Pod', who).end(JSON.stringify(seen)));
    });
    server.on('upgrade', (_incoming, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => {
      server.listen(8000, address, resolve);
    });
    this.#servers.push(server);
    return { address, port: 8000 };
  }

  /** A pod that answers each request with these bytes, whatever they are; `close` ends the connection after them. */
  async rawPod(index: number, bytes: string, { close = false } = {}): Promise<Endpoint> {
    const address = `10.77.1.${index}`;
    await run('ip', ['addr', 'add', `${address}/32`, 'dev', 'pods']);
    const server = createRawServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => (close ? socket.end(bytes) : socket.write(bytes)));
    });
    await new Promise<void>((resolve) => {
      server.listen(8000, address, resolve);
    });
    this.#rawServers.push(server);
    return { address, port: 8000 };
  }

  /** What the data path answers to a program on the blade itself. The limit ends a program that hangs; a busy machine needs seconds to start one. */
  async askItself(path: string): Promise<{ status: number; body: string }> {
    const script = `exec 3<>/dev/tcp/${vip}/80; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
    const answer = await this.network.exec('edge', 'timeout', '30', 'bash', '--norc', '-c', script);
    return { status: Number(answer.split(' ')[1]), body: answer.slice(answer.indexOf('\r\n\r\n') + 4) };
  }

  /** A pod that takes requests and answers none. */
  async silentPod(index: number): Promise<Endpoint> {
    const address = `10.77.1.${index}`;
    await run('ip', ['addr', 'add', `${address}/32`, 'dev', 'pods']);
    const server = createServer((incoming) => void incoming.resume());
    await new Promise<void>((resolve) => {
      server.listen(8000, address, resolve);
    });
    this.#servers.push(server);
    return { address, port: 8000 };
  }

  ask(options: Ask = {}): Promise<Reply> {
    return exchange(false, options);
  }

  askTls(options: Ask = {}): Promise<Reply> {
    return exchange(true, options);
  }

  async control(method: string, path: string, body?: string | Buffer): Promise<{ status: number; body: unknown }> {
    const reply = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const call = request({ socketPath: this.nginx.controlSocket, method, path }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.on('error', reject);
      call.end(body);
    });
    let parsed: unknown = reply.text;
    try {
      parsed = JSON.parse(reply.text);
    } catch {
      // An answer of nginx itself (413) is not JSON: the text is the body.
    }
    return { status: reply.status, body: parsed };
  }

  async destroy(): Promise<void> {
    await this.plane?.stop();
    await this.nginx?.kill();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    for (const server of this.#rawServers) server.close();
    await this.network.destroy();
    await run('ip', ['link', 'del', 'pods']).catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function exchange(tls: boolean, ask: Ask): Promise<Reply> {
  const options = {
    host: vip,
    port: tls ? 443 : 80,
    method: ask.method ?? 'GET',
    path: ask.path ?? '/',
    agent: ask.agent ?? (tls ? new TlsAgent() : new Agent()),
    headers: { ...withoutUndefined({ host: ask.host }), ...ask.headers },
    timeout: 10_000,
    rejectUnauthorized: false,
    servername: ask.serverName ?? '',
  };
  return new Promise((resolve, reject) => {
    const call = (tls ? tlsRequest : request)(options, (response) => {
      let body = '';
      const socket = response.socket as TLSSocket;
      const certificate = tls ? String(socket.getPeerCertificate().subject?.CN) : undefined;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body, ...withoutUndefined({ certificate }) });
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', reject);
    call.end(ask.body);
  });
}

export function seen(reply: Reply): Seen {
  return JSON.parse(reply.body) as Seen;
}

export function backend(key: string, ...endpoints: readonly Endpoint[]): Backend {
  return { key, endpoints };
}

/** A host whose `paths` are written as `'exact /foo': 'n/s/80'`. */
export function host(name: string, paths: Readonly<Record<string, string>>, more: Partial<Host> = {}): Host {
  const list = Object.entries(paths).map(([rule, key]) => {
    const [match, ...path] = rule.split(' ');
    return { match: match as Match, path: path.join(' '), backend: key };
  });
  return { name, paths: list, ...more };
}

export function table(parts: Partial<RoutingTable>): RoutingTable {
  return { hosts: [], backends: [], certificates: [], ...parts };
}

export const eventually = eventuallyWith({ timeoutMs: 10_000, everyMs: 20, onError: 'fail' });
