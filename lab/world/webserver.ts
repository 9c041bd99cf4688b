import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** A pod's container: a web server of one process (nginx, some 5 MB) that answers with its identity and the request as it came. */
export async function podServer(options: {
  readonly identity: PodIdentity;
  readonly namespace: string;
  readonly listen: string;
  readonly directory: string;
}): Promise<Service> {
  const { identity, namespace, listen, directory } = options;
  const fields = Object.entries(identity).map(([key, value]) => `${key} = "${value}"`);
  const config = nginxConfig(`
  server {
    listen ${listen};
    location / {
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

/**
 * The entry of a cloud region: a load balancer on the anycast address in front of the region's pods. It stands for the
 * cloud provider's, which is not our software; it passes health checks on to a pod.
 */
export async function cloudBalancer(options: {
  readonly namespace: string;
  readonly anycast: readonly string[];
  readonly pods: readonly string[];
  readonly certificate: { readonly chainFile: string; readonly keyFile: string };
  readonly directory: string;
}): Promise<Service> {
  const { namespace, anycast, pods, certificate, directory } = options;
  const listen = anycast.map((address) => `listen ${address}:80;\n    listen ${address}:443 ssl;`).join('\n    ');
  const config = nginxConfig(`
  upstream pods {
    ${pods.map((pod) => `server ${pod};`).join(' ')}
    keepalive 16;
  }
  server {
    ${listen}
    ssl_certificate ${certificate.chainFile};
    ssl_certificate_key ${certificate.keyFile};
    location / {
      proxy_pass http://pods;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }`);
  return webServer(`${namespace}/balancer`, namespace, directory, config);
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
