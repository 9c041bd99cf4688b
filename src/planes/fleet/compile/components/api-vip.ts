import { hostPrefix } from '../../../../model/address.ts';
import { ownFile, ownFolder } from '../access.ts';
import { authorityFiles } from '../certificates.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';
import { service } from '../unit.ts';

const folder = '/etc/tideline-api-vip';
const user = 'tideline-vip';

/** What the health check told ExaBGP last, for `tideline_health.vip`; it goes with the unit. */
const runtimeFolder = 'tideline-api-vip';
/** While this file is there, the VIP is withdrawn: `tideline_drain.withdraw_api` makes it before the API server is stopped. */
const withdrawn = '/run/tideline/api-vip.withdrawn';

/**
 * The ExaBGP of a control plane announces the API's VIP while the API server of this machine is ready. A child of ExaBGP asks twice a
 * second; one bad answer withdraws, because an API server says that it is not ready five seconds before it stops. The VIP itself stays on
 * the loopback interface: packets in flight are answered.
 */
export function apiVip(server: ServerContext): Component {
  const prefix = hostPrefix(server.fleet.api.vip).text;
  return {
    name: 'exabgp',
    artifacts: [],
    directories: { [folder]: ownFolder(user) },
    files: {
      [`${folder}/exabgp.conf`]: { ...ownFile(user), text: exabgpConf(server, prefix) },
      [`${folder}/exabgp.env`]: { ...ownFile(user), text: environment },
      [`${folder}/healthcheck.conf`]: { ...ownFile(user), text: healthcheck(server, prefix) },
    },
    units: {
      'tideline-api-vip-address.service': {
        text: service({
          description: "The API's VIP on the loopback interface",
          type: 'oneshot',
          command: [`/sbin/ip address replace ${prefix} dev lo`],
          capabilities: ['CAP_NET_ADMIN'],
          families: ['AF_NETLINK'],
          lines: ['RemainAfterExit=yes'],
        }),
        running: true,
        watches: [],
        onChange: 'restart',
      },
      'tideline-api-vip.service': {
        text: service({
          description: "Announces the API's VIP while the API server here is ready",
          user,
          after: ['tideline-api-vip-address.service'],
          command: [`/usr/sbin/exabgp --env ${folder}/exabgp.env ${folder}/exabgp.conf`],
          capabilities: ['CAP_NET_BIND_SERVICE'],
          lines: ['KillMode=mixed', 'OOMScoreAdjust=-500', `RuntimeDirectory=${runtimeFolder}`],
        }),
        running: true,
        watches: [`${folder}/exabgp.conf`, `${folder}/exabgp.env`, `${folder}/healthcheck.conf`],
        onChange: 'orchestrated',
      },
    },
  };
}

function exabgpConf({ id, site, server, fleet }: ServerContext, prefix: string): string {
  const { family } = fleet.api.vip;
  const local = server.addresses.find((address) => address.family === family);
  const routerId = server.addresses.find((address) => address.family === 4);
  const neighbors = site.spec.routers
    .filter(({ address }) => address.family === family && local !== undefined)
    .map(
      ({ name, address, asn }) => `neighbor ${address.text} {
  # ${name}
  router-id ${routerId?.text ?? '0.0.0.1'};
  local-address ${local?.text};
  local-as ${site.spec.serverAsn};
  peer-as ${asn};
  hold-time 9;
  family {
    ipv${family} unicast;
  }
  api {
    processes [ health ];
  }
}
`,
    );
  return `# ${id} announces ${prefix}
process health {
  run /usr/bin/python3 -m exabgp healthcheck --config ${folder}/healthcheck.conf;
  encoder text;
}
${neighbors.join('')}`;
}

function healthcheck({ fleet }: ServerContext, prefix: string): string {
  const url = `https://127.0.0.1:${fleet.api.port}/readyz`;
  return `command = /usr/bin/curl --silent --fail --max-time 1 --output /dev/null --cacert ${authorityFiles.kubernetes} ${url}
interval = 0.5
fast-interval = 0.2
timeout = 2
rise = 2
fall = 1
ip = ${prefix}
no-ip-setup
withdraw-on-down
disable = ${withdrawn}
execute = echo $STATE > /run/${runtimeFolder}/state
no-ack
no-syslog
`;
}

const environment = `[exabgp.api]
ack = false
cli = false
respawn = true
terminate = false

[exabgp.daemon]
daemonize = false
drop = false
umask = 0o022

[exabgp.log]
enable = true
level = ERR
destination = stderr

[exabgp.tcp]
bind = ''
`;
