import { type Address, hostPrefix } from '../../model/address.ts';
import { runFiles } from '../../model/contract.ts';
import { InputError } from '../../model/problem.ts';
import type { ServerSpec } from './server.ts';

export interface RenderOptions {
  /** The relay's program and first arguments, as absolute paths: `[node, …/relay/main.ts]`. */
  readonly relay: readonly string[];
  /** Where Node keeps the relay's compiled code (`warmRelay`). */
  readonly compileCache: string;
  /** Folder of the relay's socket `bgp.sock`. */
  readonly runDirectory: string;
  /** BGP hold time. Default 9. */
  readonly holdSeconds?: number;
  /** How long routers keep a worker's routes while ExaBGP restarts. Default 120. */
  readonly restartSeconds?: number;
  /** When the routes of a server whose agent is not heard yield to other announcers; by default the relay's own time. */
  readonly yieldSeconds?: number;
}

/**
 * The whole exabgp.conf of a server. A session carries one family and has no route-refresh capability (with it `flush` and
 * `clear` reset sessions or do nothing); the server's own address is static, so that it never depends on an agent. Workers have
 * graceful restart with manual end-of-RIB (their routes survive a restart of ExaBGP); blades have none (VIPs leave with
 * ExaBGP).
 */
export function renderExabgp(server: ServerSpec, options: RenderOptions): string {
  const command = relayCommand(server, options);
  const odd = command.find((word) => !/^[A-Za-z0-9._:/=@+-]+$/.test(word));
  if (odd !== undefined)
    throw new InputError({
      reason: 'UnsafePath',
      message: `exabgp.conf cannot hold this in a command line: ${JSON.stringify(odd)}`,
      fix: 'choose paths and names of letters, digits and . _ : / = @ + -',
    });
  const neighbors = server.routers.map((router) => neighbor(server, router, options));
  return `# ${server.name}, by \`tideline bgp render\`
process tideline {
  run ${command.join(' ')};
  encoder json;
}
${neighbors.join('')}`;
}

function neighbor(server: ServerSpec, router: ServerSpec['routers'][number], options: RenderOptions): string {
  const { address } = server;
  const local = router.local ?? address;
  const graceful = server.blade === undefined;
  return `neighbor ${router.address.text} {
  # ${router.name}
  router-id ${address.text};
  local-address ${local.text};
  local-as ${server.localAsn};
  peer-as ${router.asn};
  hold-time ${options.holdSeconds ?? 9};
${graceful ? '  manual-eor true;\n' : ''}  family {
    ipv${router.address.family} unicast;
  }
  capability {
    asn4 enable;
    route-refresh disable;
    graceful-restart ${graceful ? (options.restartSeconds ?? 120) : 'disable'};
  }
  api {
    processes [ tideline ];
    neighbor-changes;
  }
${local.family === address.family ? ownRoute(address, local) : ''}}
`;
}

/**
 * The server's own address, as a static route. Its next hop is the local end of the session: a route whose next hop lies inside
 * itself is taken by BIRD and counts as inaccessible for FRR, which then needs a route of its own to the server.
 */
function ownRoute(address: Address, local: Address): string {
  return `  static {
    route ${hostPrefix(address).text} next-hop ${local.text};
  }
`;
}

function relayCommand(server: ServerSpec, options: RenderOptions): readonly string[] {
  const { blade } = server;
  return [
    '/usr/bin/env',
    `NODE_COMPILE_CACHE=${options.compileCache}`,
    ...options.relay,
    '--socket',
    `${options.runDirectory}/${runFiles.relaySocket}`,
    '--local-asn',
    String(server.localAsn),
    ...server.routers.flatMap(({ address, asn, local }) => [
      '--neighbor',
      `${address.text}=${asn}${local === undefined ? '' : `@${local.text}`}`,
    ]),
    '--fixed',
    hostPrefix(server.address).text,
    ...(blade?.vips ?? []).flatMap((vip) => ['--vip', hostPrefix(vip).text]),
    ...(blade === undefined ? [] : ['--lease', String(blade.lease.seconds)]),
    ...(blade?.lease.keeper === true ? ['--keeper'] : []),
    ...(options.yieldSeconds === undefined ? [] : ['--yield-after', String(options.yieldSeconds)]),
  ];
}

/**
 * exabgp.env, for `exabgp --env FILE`. Answers must be on; the log must stay enabled (off crashes 4.2.21 at start) and be
 * named ERR; the command-line pipes share one answer pipe and are off; the default umask makes folders that cannot be entered.
 * ExaBGP also listens: the pause between its own attempts grows to a minute, and a router that comes back need not wait for it.
 */
export function renderEnvironment(server: Pick<ServerSpec, 'address'> & Partial<Pick<ServerSpec, 'routers'>>): string {
  const ends = new Set((server.routers ?? []).map(({ local }) => (local ?? server.address).text));
  return `# by \`tideline bgp render\`; run: exabgp --env FILE exabgp.conf
[exabgp.api]
ack = true
chunk = 100
cli = false
respawn = true
terminate = false

[exabgp.daemon]
daemonize = false
drop = false
umask = 0o022
user = 'root'

[exabgp.log]
enable = true
level = ERR
destination = stderr

[exabgp.tcp]
bind = ${ends.size === 0 ? server.address.text : [...ends].join(' ')}
port = 179
`;
}
