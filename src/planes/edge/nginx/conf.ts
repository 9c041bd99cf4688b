import { bladePaths, runFiles } from '../../../model/contract.ts';
import {
  type ClientSettings,
  clientLimit,
  clientLimits,
  entryFunction,
  providerHeaders,
  providerMaps,
  providerTable,
} from './clients.ts';
import { believedFields, connectionFields } from './fields.ts';
import { framingMap } from './framing.ts';

/**
 * Everything that nginx.conf depends on. The file is constant but for these settings: nothing that a tenant wrote ever
 * enters it, so no change of an Ingress, endpoint or certificate needs a reload.
 */
export interface NginxSettings extends ClientSettings {
  /** Folder of the Lua files and the static certificate; absolute. */
  readonly rendered: string;
  /** Folder of sockets, pid and logs; absolute, must exist when nginx starts. */
  readonly runDir: string;
  /**
   * Folder of the bodies that are too long for memory; absolute, must exist when nginx starts. Clients decide how much is in it, so
   * it should be on a disk: `runDir` is usually memory, which the server shares.
   */
  readonly temporaryDir: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Listen on IPv6 as well. */
  readonly ipv6: boolean;
  /** The user of the worker processes. In a user namespace only `root` exists. */
  readonly user: string;
  /** Worker processes; `auto`: one a processor. */
  readonly workers: number | 'auto';
  /** Writes one JSON object a request, as far as the pool's `accessLog` says, to the server's log, or to `<runDir>/nginx-access.log`. */
  readonly accessLog: boolean;
  /** Whole addresses of clients in the access log; else their networks, IPv4 /24 and IPv6 /48. */
  readonly fullAddresses?: boolean;
  /** Logs go to the server's /dev/log, which bounds them (the journal), and not to files of `runDir`, which nobody rotates. */
  readonly syslog: boolean;
  /** The longest body of a request; a route may take less, never more. */
  readonly maxBodyMiB: number;
  /** Sizes of the shared memory zones in MiB. Memory is used as it fills. */
  readonly zoneMiB: Readonly<Record<'hosts' | 'backends' | 'certificates', number>>;
}

/** A path of these characters is always one token for nginx; a path with any other character is refused. */
const plainPath = /^\/[A-Za-z0-9._/@+-]*$/;
const plainUser = /^[a-z_][a-z0-9_-]{0,31}$/;

/** What is wrong with the settings; empty when they are good. */
export function checkSettings(settings: NginxSettings): readonly string[] {
  const wrong: string[] = [];
  for (const [name, path] of [
    ['run directory', settings.runDir],
    ['target folder', settings.rendered],
    ['folder of temporary files', settings.temporaryDir],
  ] as const) {
    if (!plainPath.test(path))
      wrong.push(`the ${name} must be an absolute path of letters, digits and ./_@+-, not ${JSON.stringify(path)}`);
  }
  if (Buffer.byteLength(`${settings.runDir}/${runFiles.nginxSocket}`) > 107)
    wrong.push(
      `the run directory ${settings.runDir} is too long for a unix socket (107 bytes with /${runFiles.nginxSocket})`,
    );
  if (!plainUser.test(settings.user)) wrong.push(`${JSON.stringify(settings.user)} is no user name`);
  if (settings.workers !== 'auto' && !(Number.isInteger(settings.workers) && settings.workers >= 1))
    wrong.push('workers must be a whole number from 1, or auto');
  return wrong;
}

/** The text of nginx.conf. `checkSettings` must have found no fault in the settings. */
export function nginxConf(settings: NginxSettings): string {
  return `${main(settings)}
events {
    worker_connections ${workerConnections};
}

http {
${indent(http(settings))}

${indent(publicServer(settings))}

${indent(controlServer(settings))}
}
`;
}

/** The syslog target of a log. nginx does not wait for /dev/log: lines that it cannot take are dropped. */
const devLog = (tag: string): string => `syslog:server=unix:/dev/log,nohostname,tag=${tag}`;

function main({ runDir, user, workers, syslog }: NginxSettings): string {
  return `# Made by "tideline edge render". Routes, endpoints and certificates come over ${runDir}/${runFiles.nginxSocket}, never from here.
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off;
user ${user};
worker_processes ${workers};
worker_shutdown_timeout 60s;
pid ${runDir}/nginx.pid;
error_log ${syslog ? devLog('tideline_nginx') : `${runDir}/${runFiles.nginxErrorLog}`} warn;
# Workers read in this file whether one of them has torn shared memory.
error_log ${runDir}/${runFiles.nginxAlerts} alert;
pcre_jit on;
`;
}

function http(settings: NginxSettings): string {
  const { rendered, runDir, temporaryDir, zoneMiB, maxBodyMiB } = settings;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${temporaryDir}/nginx-${kind.replace('_', '-')};`,
  );
  return `lua_package_path "${rendered}/lua/?.lua;/usr/share/lua/5.1/?.lua;;";
lua_shared_dict tideline_state 8m;
lua_shared_dict tideline_requests 8m;
lua_shared_dict tideline_hosts ${zoneMiB.hosts}m;
lua_shared_dict tideline_backends ${zoneMiB.backends}m;
lua_shared_dict tideline_certificates ${zoneMiB.certificates}m;
init_by_lua_block { require("tideline.start").master("${runDir}", "${rendered}", ${poolCount}, ${providerTable(settings)}, ${settings.trustedProxies !== undefined}) }
init_worker_by_lua_block { require("tideline.start").worker("${runDir}", "${temporaryDir}") }

${temporary.join('\n')}
${accessLogs(settings)}
default_type application/octet-stream;
server_tokens off;
absolute_redirect off;
log_not_found off;

# Limits for slow and oversized requests.
client_header_timeout 10s;
client_body_timeout 30s;
send_timeout 30s;
reset_timedout_connection on;
keepalive_timeout 75s;
keepalive_requests 10000;
client_header_buffer_size 2k;
large_client_header_buffers 4 16k;
max_headers 128;
client_max_body_size ${maxBodyMiB}m;
client_body_buffer_size 64k;

# Whether the client's Connection field names the upgrade (RFC 9110, 7.8). One without that was passed on by something before the edge
# which knows of no upgrade. Lua asks only where there is an Upgrade field (lua/request.lua).
map $http_connection $tideline_named_upgrade {
    default "";
    "~*(?:^|,)[ \\t]*upgrade[ \\t]*(?:,|$)" websocket;
}
# Lua gives these variables their values, some of them seldom. Unlike \`set\`, this takes no time where nothing reads them.
${['pool', 'reason', 'upgrade', 'connection'].map((name) => `map "" $tideline_${name} {\n    default "";\n}`).join('\n')}
map "" $tideline_host {
    default $host;
}
map "" $tideline_id {
    default $request_id;
}
${framingMap}
${clientOf(settings)}
${providerMaps(settings)}
${clientLimits(settings)}

${pools()}`;
}

/**
 * Idle connections to pods, for each worker. nginx searches a pool from end to end and its list of upstreams from the start, so
 * one large pool, or hundreds of small ones, would cost more than new connections do. An endpoint always has the same pool
 * (`lua/endpoints.lua`, which knows the names as well). What is idle takes at most half of a worker's connections: nginx closes none
 * of it to make room.
 *
 * nginx looks for the name of a pool by comparing lengths first, then bytes: no two names agree in both length and first letter.
 */
const poolCount = 64;
const poolConnections = 128;
const workerConnections = 2 * poolCount * poolConnections;

function pools(): string {
  return Array.from(
    { length: poolCount },
    (_, index) => `upstream ${'abcdefgh'.charAt(index % 8)}${'p'.repeat(Math.floor(index / 8))} {
    server 0.0.0.1;
    balancer_by_lua_block { tideline.balance() }
    keepalive ${poolConnections};
    keepalive_requests 10000;
    # Shorter than the 5 s after which Node and others close an idle connection: a request must not arrive at that moment.
    keepalive_timeout 4s;
}`,
  ).join('\n');
}

const namesSomebody = `map $http_x_forwarded_for $tideline_named {
    default 1;
    "" "";
}
`;

/**
 * Who the client is, and whether it came by HTTPS. What a proxy says counts only when its own address is a trusted one.
 * With the PROXY protocol no header counts: such a proxy passes those of clients on.
 */
function clientOf({ trustedProxies }: NginxSettings): string {
  if (trustedProxies === undefined)
    return `map "" $tideline_scheme {
    default $scheme;
}`;
  const { prefixes, via } = trustedProxies;
  const said = via === 'proxyProtocol' ? '$proxy_protocol_server_port' : '$http_x_forwarded_proto';
  const [https, plain] = via === 'proxyProtocol' ? ['443', '80'] : ['https', 'http'];
  return `${prefixes.map((prefix) => `set_real_ip_from ${prefix};`).join('\n')}
real_ip_header ${via === 'proxyProtocol' ? 'proxy_protocol' : 'X-Forwarded-For'};
real_ip_recursive on;
${via === 'proxyProtocol' ? '' : namesSomebody}geo $realip_remote_addr $tideline_proxy {
    default 0;
${prefixes.map((prefix) => `    ${prefix} 1;`).join('\n')}
}
map "$tideline_proxy ${said}" $tideline_scheme {
    default $scheme;
    "1 ${https}" https;
    "1 ${plain}" ${via === 'proxyProtocol' ? '$scheme' : 'http'};
}
map "$tideline_proxy ${said}" $tideline_port {
    default $server_port;
    "1 ${https}" 443;
    "1 ${plain}" 80;
}`;
}

/** The scheme and port that the client sees. nginx's own variables cost less than a map. */
const seen = ({ trustedProxies }: NginxSettings) =>
  trustedProxies === undefined
    ? { scheme: '$scheme', port: '$server_port' }
    : { scheme: '$tideline_scheme', port: '$tideline_port' };

/** The network of a client (IPv4 /24, IPv6 /48), and what Lua says of a line (lua/lines.lua). */
const lineVariables = `map $remote_addr $tideline_client_network {
    default "::";
    "~^(\\d+\\.\\d+\\.\\d+)\\." $1.0;
    "~^([0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" $1::;
    "~^([0-9a-f]+:[0-9a-f]+)::" $1::;
    "~^([0-9a-f]+)::" $1::;
}
map "" $tideline_logged {
    default 1;
}
map "" $tideline_sample {
    default 1;
}
`;

function accessLogs(settings: NginxSettings): string {
  const { accessLog, syslog, runDir } = settings;
  const fields = [
    `"time":"$time_iso8601","id":"$tideline_id","client":"${settings.fullAddresses ? '$remote_addr' : '$tideline_client_network'}","scheme":"$tideline_scheme","host":"$host"`,
    '"method":"$tideline_method","uri":"$request_uri","status":$status,"bytes":$bytes_sent,"seconds":$request_time',
    '"upstream":"$upstream_addr","upstreamStatus":"$upstream_status","upstreamSeconds":"$upstream_response_time"',
    '"reason":"$tideline_reason","sample":$tideline_sample',
  ];
  const lines = fields.map((field, index) => `    '${index === 0 ? '{' : ','}${field}'`);
  const to = !accessLog
    ? 'off'
    : syslog
      ? `${devLog('tideline_access')} tideline if=$tideline_logged`
      : `${runDir}/${runFiles.nginxAccessLog} tideline buffer=64k flush=1s if=$tideline_logged`;
  // A refused response changes $request_method (lua/response.lua).
  const method = `map $request $tideline_method {\n    default $request_method;\n    "~^([A-Z]+) " $1;\n}\n`;
  return `${method}${lineVariables}log_format tideline escape=json\n${lines.join('\n')}\n    '}';\naccess_log ${to};`;
}

function publicServer(settings: NginxSettings): string {
  const { rendered, httpPort, httpsPort, ipv6 } = settings;
  const proxied = settings.trustedProxies?.via === 'proxyProtocol' ? ' proxy_protocol' : '';
  const listen = [
    `listen ${httpPort} default_server${proxied} backlog=4096;`,
    `listen ${httpsPort} default_server ssl http2${proxied} backlog=4096;`,
  ];
  if (ipv6) {
    listen.push(
      `listen [::]:${httpPort} default_server${proxied} ipv6only=on backlog=4096;`,
      `listen [::]:${httpsPort} default_server ssl http2${proxied} ipv6only=on backlog=4096;`,
    );
  }
  return `server {
${indent(listen.join('\n'))}
    server_name "";

    ssl_certificate ${rendered}/default.crt;
    ssl_certificate_key ${rendered}/default.key;
    ssl_certificate_by_lua_block { require("tideline.certificate").present() }
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_prefer_server_ciphers off;
    ssl_session_cache shared:tideline_tls:16m;
    ssl_session_timeout 1h;
    ssl_session_tickets off;
    log_by_lua_block { tideline.${settings.accessLog ? 'log_with_line' : 'log'}() }

    location = ${bladePaths.blade} {
        log_by_lua_block { }
        content_by_lua_block { require("tideline.answers").blade() }
    }
    location ^~ ${bladePaths.health} {
        log_by_lua_block { }
        content_by_lua_block { require("tideline.answers").health() }
    }
    location ^~ ${bladePaths.reserved} {
        log_by_lua_block { }
        return 404;
    }

    location / {
${indent(indent(clientLimit(settings)))}
        access_by_lua_block { tideline.${entryFunction(settings)}() }
${indent(indent(proxy(settings)))}
    }
    location @draining {
        keepalive_timeout 0;
        access_by_lua_block { require("tideline.request").route() }
${indent(indent(proxy(settings)))}
    }
    location @over_limit {
        content_by_lua_block { require("tideline.answers").over_limit() }
    }
}`;
}

/** The blade faces the Internet: what a client says of itself in these fields is replaced or removed, never continued. */
const proxy = (settings: NginxSettings): string => `proxy_pass http://$tideline_pool;
proxy_http_version 1.1;
proxy_set_header Host $tideline_host;
proxy_set_header Connection $tideline_connection;
proxy_set_header Upgrade $tideline_upgrade;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto ${seen(settings).scheme};
proxy_set_header X-Forwarded-Host $tideline_host;
proxy_set_header X-Forwarded-Port ${seen(settings).port};
proxy_set_header X-Request-ID $tideline_id;
proxy_set_header X-Scheme ${seen(settings).scheme};
${believedFields.map((name) => `proxy_set_header ${name} "";`).join('\n')}
${providerHeaders(settings)}
# A backend must not steer nginx: an internal redirect would lead past the router.
proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Charset;
proxy_redirect off;
header_filter_by_lua_block { tideline.filter() }
${connectionFields.map((name) => `proxy_hide_header ${name};`).join('\n')}
# nginx tries another endpoint when one cannot be reached; for a POST only when nothing of it was sent.
proxy_next_upstream error timeout;
proxy_next_upstream_timeout 10s;
proxy_next_upstream_tries 0;
proxy_connect_timeout 2s;
proxy_send_timeout 60s;
proxy_read_timeout 60s;
# What a pod has sent goes on at once, its head as well. With buffers nginx keeps a head until the first byte of a body is there.
proxy_buffering off;
# The longest head, and what is read of a body at once: with 16k an answer of 1 MB takes a third more processor time (decision 70).
proxy_buffer_size 64k;
# These hold for an answer for which its pod asks for buffers (X-Accel-Buffering: yes).
proxy_buffers 8 16k;
proxy_busy_buffers_size 64k;
proxy_max_temp_file_size 0;`;

function controlServer({ runDir }: NginxSettings): string {
  return `server {
    listen unix:${runDir}/${runFiles.nginxSocket};
    access_log off;
    keepalive_timeout 3600s;
    keepalive_requests 1000000;
    client_max_body_size 8m;
    client_body_buffer_size 8m;
    location / {
        content_by_lua_block { require("tideline.control").serve() }
    }
}`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : `    ${line}`))
    .join('\n');
}
