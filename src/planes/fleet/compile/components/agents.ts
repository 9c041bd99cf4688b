import { agentPorts, defaultRunDir } from '../../../../model/contract.ts';
import { ownFile, ownFolder, publicFile, publicFolder } from '../access.ts';
import { authorityFiles } from '../certificates.ts';
import { hostOf, type ServerContext } from '../context.ts';
import type { Component, Unit } from '../document.ts';
import { kubeconfig } from '../kubeconfig.ts';
import { platformText } from '../platform-text.ts';

/** Workers and blades run Tideline's own agents, by the units that `deploy/systemd` has and `docs/operations/servers.md` explains. */

const settings = '/etc/tideline/server.env';
const platform = '/etc/tideline/platform/platform.json';

/** The ExaBGP of a worker or blade, with the relay that an agent talks to. Its unit renders the configuration from the spec. */
export function exabgp(server: ServerContext): Component {
  const target = isBlade(server) ? 'tideline-blade.target' : 'tideline-worker.target';
  const conf = settingsOf(server);
  return {
    name: 'exabgp',
    artifacts: ['tideline'],
    directories: {
      '/etc/tideline/platform': publicFolder,
      [defaultRunDir]: publicFolder,
      [`${defaultRunDir}/bgp`]: ownFolder('tideline'),
      '/var/cache/tideline': publicFolder,
      '/var/lib/tideline': publicFolder,
      '/var/lib/tideline/edge': ownFolder('tideline'),
    },
    files: {
      '/etc/tmpfiles.d/tideline.conf': { ...publicFile, text: temporaryFolders },
      [platform]: { ...publicFile, text: platformText(server) },
      [settings]: { ...publicFile, text: conf },
    },
    units: units(server, [
      ['tideline-exabgp-render.service', false, []],
      // A restart takes routes from blades; agents send changes to the running one.
      ['tideline-exabgp.service', true, [], 'orchestrated'],
      [target, true, []],
    ]),
  };
}

const temporaryFolders = `d /run/tideline 0755 root root
d /run/tideline/bgp 0700 tideline tideline
d /var/cache/tideline 0755 root root
d /var/lib/tideline 0755 root root
d /var/lib/tideline/edge 0700 tideline tideline
`;

/** Announces the blocks of a worker. */
export function networkAgent(server: ServerContext): Component {
  return {
    name: 'network-agent',
    artifacts: ['tideline'],
    directories: {},
    files: agentFiles(server),
    units: units(server, [['tideline-network-agent.service', true, agentWatches]]),
  };
}

/** nginx of a blade, and the agent that keeps it at the state of the cluster. */
export function edge(server: ServerContext): Component {
  return {
    name: 'edge',
    artifacts: ['tideline'],
    directories: {},
    files: agentFiles(server),
    units: units(server, [
      ['tideline-nginx-render.service', false, []],
      ['tideline-nginx.service', true, [], 'orchestrated'],
      ['tideline-edge-agent.service', true, agentWatches],
    ]),
  };
}

const agentWatches = [
  'tideline',
  authorityFiles.kubernetes,
  '/etc/tideline/kubeconfig',
  settings,
  '/etc/tideline/pki/client.crt',
];

const agentFiles = ({ apiUrl }: ServerContext): Component['files'] => ({
  '/etc/tideline/kubeconfig': { ...ownFile('tideline'), text: kubeconfig(apiUrl, '/etc/tideline/pki') },
});

const isBlade = ({ server }: ServerContext) => server.roles.includes('blade');

function settingsOf(server: ServerContext): string {
  const pool = server.pools.find(({ spec }) => spec.blades.some(({ name }) => name === server.id));
  const lines = isBlade(server)
    ? [`TIDELINE_POOL=${pool?.metadata.name}`]
    : [
        `TIDELINE_CLUSTER=${server.cluster}`,
        `TIDELINE_BGP_OPTIONS=--address ${server.address.text}`,
        `TIDELINE_NETWORK_OPTIONS=${networkOptions(server).join(' ')}`,
      ];
  return [`TIDELINE_SERVER=${server.id}`, ...lines, ''].join('\n');
}

/** Whoever drains the worker, Prometheus and `tideline status` ask its agent at the address of the server, as it is with `deploy/install`. */
function networkOptions({ fleet, address }: ServerContext): readonly string[] {
  const listen = `${hostOf(address)}:${agentPorts.network}`;
  return ['--metrics-address', listen, ...('static' in fleet.ipam ? ['--pods-from', 'podCIDRs'] : [])];
}

type ShippedUnit = readonly [name: string, running: boolean, watches: readonly string[], onChange?: Unit['onChange']];

/** Units with the texts that Tideline ships; one that the caller did not hand in is left out. */
function units({ agentUnits }: ServerContext, wanted: readonly ShippedUnit[]): Readonly<Record<string, Unit>> {
  return Object.fromEntries(
    wanted.flatMap(([name, running, watches, onChange = 'restart']) => {
      const text = agentUnits[name];
      return text === undefined ? [] : [[name, { text, running, watches, onChange }]];
    }),
  );
}
