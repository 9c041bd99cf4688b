import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bladePaths } from '../../src/model/contract.ts';
import type { Service } from '../supervise.ts';

/** A pod's identity, which is in each of its answers. */
export interface PodIdentity {
  readonly pod: string;
  readonly node: string;
  readonly cluster: string;
}

/** A pod's answer to any request: its identity, and the request as it came. */
export interface PodAnswer extends PodIdentity {
  /** Source address of the connection. */
  readonly peer: string;
  readonly host: string;
  readonly forwardedFor: string;
  readonly path: string;
}

/** What a pod can do before users wait, and are refused. */
export interface PodLimit {
  readonly requestsPerSecond: number;
  /** So many requests wait for their turn; what comes beyond gets 503. */
  readonly queue: number;
}

/**
 * A pod's container: a web server of one process (nginx, some 5 MB) that answers with its identity and the request as it came. With a limit it
 * serves at that rate, health checks apart.
 */
export async function podServer(options: {
  readonly limit?: PodLimit;
  readonly identity: PodIdentity;
  readonly namespace: string;
  readonly listen: string;
  readonly directory: string;
}): Promise<Service> {
  const { identity, namespace, listen, directory, limit } = options;
  const fields = Object.entries(identity).map(([key, value]) => `${key} = "${value}"`);
  const zone =
    limit === undefined
      ? ''
      : `
  limit_req_zone $server_port zone=capacity:64k rate=${Math.max(1, Math.round(limit.requestsPerSecond))}r/s;
  limit_req_status 503;`;
  const limited = limit === undefined ? '' : `limit_req zone=capacity burst=${Math.max(1, Math.round(limit.queue))};`;
  const config = nginxConfig(`${zone}
  server {
    listen ${listen};
    location ${bladePaths.health} { return 200; }
    location / {
      ${limited}
      default_type application/json;
      content_by_lua_block {
        ngx.say(require("cjson").encode({
          ${fields.join(', ')},
          peer = ngx.var.remote_addr, host = ngx.var.http_host or "",
          forwardedFor = ngx.var.http_x_forwarded_for or "", path = ngx.var.request_uri
        }))
      }
    }
  }`);
  return webServer(`${identity.node}/pod-${identity.pod}`, namespace, directory, config);
}

async function webServer(name: string, namespace: string, directory: string, config: string): Promise<Service> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'nginx.conf');
  await writeFile(file, config);
  return { name, namespace, command: 'nginx', arguments: ['-e', 'stderr', '-p', directory, '-c', file] };
}

function nginxConfig(http: string): string {
  return `load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
user root;
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  keepalive_requests 100000;${http}
}
`;
}
