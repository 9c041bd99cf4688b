import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../../lab/daemons/process.ts';
import { Network } from '../../../lab/net/network.ts';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { renderDataPlane } from '../../../src/planes/edge/nginx/render.ts';
import { zoneMiB } from '../../../src/planes/edge/table.ts';
import { type Nginx, startNginx } from '../../support/daemons/nginx.ts';
import { waitReady } from '../../support/daemons/ready.ts';
import { eventually } from '../../support/eventually.ts';
import { descendantsMatching } from '../support/processes.ts';
import { addressesOf, endpointNetwork, hostName, upstreamPort } from './fleet.ts';
import { Client } from './load.ts';

export const ports = { ours: 8081, static: 8082 } as const;

export interface Place {
  readonly network: Network;
  readonly namespace: string;
  readonly folder: string;
}

/** Runs `act` in a namespace in which the upstream of the fleet runs, and removes everything afterwards. */
export async function withUpstream<T>(act: (place: Place) => Promise<T>): Promise<T> {
  const network = new Network();
  const folder = await mkdtemp(join(tmpdir(), 'tideline-bench-'));
  try {
    await network.adoptOwn('bench');
    const place = { network, namespace: 'bench', folder };
    await startUpstream(place);
    return await act(place);
  } finally {
    await network.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts our rendered data plane with one worker and no table; its control socket is `<folder>/ours/nginx-control/nginx.sock`. */
export async function startOurs({ network, namespace, folder }: Place): Promise<Nginx & { readonly runDir: string }> {
  const runDir = join(folder, 'ours');
  await mkdir(runDir, { recursive: true });
  const settings: NginxSettings = {
    rendered: join(runDir, 'conf'),
    runDir,
    temporaryDir: runDir,
    httpPort: ports.ours,
    httpsPort: 8443,
    ipv6: false,
    user: 'root',
    workers: 1,
    accessLog: false,
    syslog: false,
    maxBodyMiB: 64,
    clients: { requests: 4096, bodies: 256 },
    zoneMiB,
  };
  await renderDataPlane(settings, Date.now());
  return { ...(await startNginx({ network, namespace, rendered: settings.rendered, runDir })), runDir };
}

/**
 * Starts nginx with an nginx.conf as a person would write it for these hosts: a server and an upstream each, and the same
 * headers as ours. An upstream keeps more connections than the bench has clients; with fewer it would close some and open them again.
 */
export async function startStatic(place: Place, hosts: number, endpoints: number): Promise<Daemon> {
  const body = Array.from({ length: hosts }, (_, index) => staticHost(index, endpoints)).join('\n');
  const conf = `keepalive_timeout 75s; keepalive_requests 10000; server_tokens off;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  client_header_timeout 10s; client_max_body_size 64m; proxy_next_upstream error timeout;
  map $http_upgrade $connection_upgrade { default ""; websocket upgrade; }
  server { listen ${ports.static} default_server backlog=4096; return 404; }
  ${body}`;
  return startPlain(place, 'static', conf, ports.static);
}

function staticHost(index: number, endpoints: number): string {
  const servers = addressesOf(index, endpoints).map((address) => `server ${address}:${upstreamPort};`);
  return `upstream u${index} { ${servers.join(' ')} keepalive 32; keepalive_timeout 4s; }
  server { listen ${ports.static}; server_name ${hostName(index)};
    location / { proxy_pass http://u${index}; proxy_http_version 1.1; proxy_redirect off;
      proxy_connect_timeout 2s; proxy_read_timeout 60s; proxy_send_timeout 60s;
      proxy_set_header Host $http_host; proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Request-ID $request_id; proxy_set_header Proxy "";
      proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k; proxy_max_temp_file_size 0;
    } }`;
}

/** Starts all endpoints of the fleet: one nginx on a whole local network that answers with the address at which it was reached. */
async function startUpstream(place: Place): Promise<void> {
  await place.network.ip(place.namespace, 'route', 'add', 'local', endpointNetwork, 'dev', 'lo');
  const conf = `keepalive_timeout 75s; keepalive_requests 1000000;
  server { listen ${upstreamPort} backlog=4096; location / { default_type text/plain; return 200 "$server_addr\\n"; } }`;
  await startPlain(place, 'upstream', conf, upstreamPort);
}

async function startPlain(place: Place, name: string, http: string, port: number): Promise<Daemon> {
  const folder = join(place.folder, name);
  await mkdir(folder, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; user root; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn; pcre_jit on;
events { worker_connections 65536; }
worker_rlimit_nofile 131072;
http {
  access_log off; ${temporary.join(' ')}
  ${http}
}
`,
  );
  const daemon = startDaemon({
    network: place.network,
    namespace: place.namespace,
    command: 'nginx',
    args: ['-e', 'stderr', '-c', file],
    logFile: join(folder, 'nginx.log'),
  });
  await waitReady(daemon, () => Client.accepts(port), 90_000);
  return daemon;
}

/** The process id of an nginx's only worker, which may still be about to start. */
export async function workerOf(masterPid: number): Promise<number> {
  let worker: number | undefined;
  const started = async (): Promise<boolean> => {
    [worker] = await descendantsMatching(masterPid, /worker process/);
    return worker !== undefined;
  };
  await eventually(`nginx ${masterPid} has a worker`, started, { timeoutMs: 30_000, everyMs: 20 });
  return worker as unknown as number;
}
