import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiVersion } from '../../src/model/contract.ts';
import { askBird } from '../daemons/bird.ts';
import { stillMissing } from '../missing.ts';
import type { Link } from '../world/links.ts';
import { protocolName } from '../world/routers.ts';
import { kernelRoutes } from '../world/routes.ts';
import { type Datacentre, serversOf } from '../world/topology.ts';
import type { FaultName } from './names.ts';
import type { FaultedCluster, FaultPort } from './port.ts';

/** One kind of trouble. `begin` and `heal` are idempotent. */
export interface Fault {
  readonly name: FaultName;
  /** The targets that the fault can hit; the first is the default. */
  targets(lab: FaultPort): readonly string[];
  begin(lab: FaultPort, target: string): Promise<void>;
  heal(lab: FaultPort, target: string): Promise<void>;
}

const nothing = async (): Promise<void> => {};
const blades = (lab: FaultPort): readonly string[] => lab.world.datacentres.flatMap((d) => d.blades.map((b) => b.name));
const workers = (lab: FaultPort): readonly string[] =>
  lab.world.datacentres.flatMap((d) => d.workers.map((w) => w.name));

const serversWithAgents = (datacentre: Datacentre): readonly string[] =>
  [...datacentre.workers, ...datacentre.blades].map(({ name }) => name);
/** The programs of blades and workers: `paris-blade-1/nginx`. */
const programs = (lab: FaultPort): readonly string[] =>
  servicesOf(lab, lab.world.datacentres.flatMap(serversWithAgents));

/** Every fault, sorted by name. */
export const faults: readonly Fault[] = [
  {
    name: 'agents-killed',
    targets: () => ['all'],
    begin: async (lab) => killServices(lab, /\/(network|edge)-agent$/),
    heal: nothing,
  },
  {
    name: 'blade-drained',
    targets: blades,
    async begin(lab, target) {
      const unfinished = join(lab.platformFolder, `.drain-${target}`);
      await writeFile(unfinished, drain(target, lab.clock.now()));
      await rename(unfinished, drainFile(lab, target));
    },
    heal: (lab, target) => rm(drainFile(lab, target), { force: true }),
  },
  {
    name: 'blade-killed',
    targets: blades,
    begin: serverDown,
    heal: serverUp,
  },
  {
    name: 'cloud-pods-lost',
    targets: (lab) => lab.world.regions.map((region) => region.site),
    begin: async (lab, target) =>
      void (await Promise.all(cloudPods(lab, target).map((name) => lab.supervisor.hold(name)))),
    async heal(lab, target) {
      for (const name of cloudPods(lab, target)) lab.supervisor.release(name);
    },
  },
  {
    name: 'cloud-region-lost',
    targets: (lab) => lab.world.regions.map((region) => region.site),
    async begin(lab, target) {
      await setLinks(lab, (link) => link.a.namespace === target, 'down');
      await holdServices(lab, [target]);
    },
    async heal(lab, target) {
      releaseServices(lab, [target]);
      await setLinks(lab, (link) => link.a.namespace === target, 'up');
    },
  },
  {
    name: 'cluster-lost',
    targets: (lab) => lab.world.datacentres.map((datacentre) => datacentre.cluster),
    async begin(lab, target) {
      const { router, machines } = machinesOf(lab, target);
      await setLinks(lab, (link) => link.a.namespace === router, 'down');
      const { control } = clusterNamed(lab, target);
      await Promise.all([holdServices(lab, machines), control?.kill(control.components.map(({ name }) => name))]);
    },
    async heal(lab, target) {
      const { router, machines } = machinesOf(lab, target);
      await setLinks(lab, (link) => link.a.namespace === router, 'up');
      // Masters come first: agents start from their last-good state at once, and follow the cluster as soon as they can read it.
      await clusterNamed(lab, target).control?.mend();
      releaseServices(lab, machines);
    },
  },
  {
    name: 'control-plane-lost',
    targets: (lab) =>
      [...lab.clusters].flatMap(([name, { control }]) =>
        control === undefined ? [] : [...control.components.map((part) => `${name}/${part.name}`), `${name}/frozen`],
      ),
    async begin(lab, target) {
      const part = target.slice(target.indexOf('/') + 1);
      const { control } = clusterNamed(lab, target);
      await (part === 'frozen' ? control?.freeze(['kube-apiserver']) : control?.kill([part]));
    },
    heal: async (lab, target) => clusterNamed(lab, target).control?.mend(),
  },
  {
    name: 'exabgp-killed',
    targets: (lab) => ['all', ...workers(lab), ...blades(lab)],
    begin: async (lab, target) => killServices(lab, target === 'all' ? /\/exabgp$/ : new RegExp(`^${target}/exabgp$`)),
    heal: nothing,
  },
  {
    name: 'flash-crowd',
    targets: (lab) => lab.world.users.map(({ name }) => name).toReversed(),
    async begin(lab, target) {
      const crowd = lab.crowdOf(target);
      if (lab.supervisor.names(({ name }) => name === crowd.name).length === 0) lab.supervisor.start(crowd);
    },
    heal: (lab, target) => lab.supervisor.remove(lab.crowdOf(target).name),
  },
  {
    name: 'input-lost',
    targets: (lab) =>
      [...lab.clusters].flatMap(([name, { inputLosses }]) => inputLosses.map(({ mode }) => `${name}/${mode}`)),
    begin: (lab, target) => clusterNamed(lab, target).loseInput(target.slice(target.indexOf('/') + 1)),
    heal: (lab, target) => clusterNamed(lab, target).mendInput(),
  },
  {
    name: 'nginx-killed',
    targets: blades,
    begin: async (lab, target) => lab.supervisor.kill(`${target}/nginx`),
    heal: nothing,
  },
  {
    name: 'program-frozen',
    targets: programs,
    begin: async (lab, target) => lab.supervisor.kill(target, 'SIGSTOP'),
    heal: async (lab, target) => lab.supervisor.kill(target, 'SIGCONT'),
  },
  {
    name: 'program-stopped',
    targets: programs,
    begin: (lab, target) => lab.supervisor.hold(target),
    heal: async (lab, target) => lab.supervisor.release(target),
  },
  {
    name: 'session-shut',
    targets: (lab) =>
      lab.world.datacentres.flatMap((d) => serversWithAgents(d).map((server) => `${d.router.name}/${server}`)),
    begin: (lab, target) => askRouter(lab, target, 'disable'),
    heal: (lab, target) => askRouter(lab, target, 'enable'),
  },
  {
    name: 'uplink-cut',
    targets: (lab) => lab.world.datacentres.flatMap((d) => d.uplinks.map((uplink) => `${d.router.name}/${uplink}`)),
    begin: (lab, target) => setLinks(lab, isUplink(target), 'down'),
    heal: (lab, target) => setLinks(lab, isUplink(target), 'up'),
  },
  {
    name: 'worker-killed',
    targets: workers,
    async begin(lab, target) {
      await serverDown(lab, target);
      await clusterOfNode(lab, target).nodeLost(target);
    },
    async heal(lab, target) {
      await serverUp(lab, target);
      await routesBack(lab, target);
      await clusterOfNode(lab, target).nodeBack(target);
    },
  },
];

async function serverDown(lab: FaultPort, server: string): Promise<void> {
  await setLinks(lab, (link) => link.a.namespace === server, 'down');
  await holdServices(lab, [server]);
}

async function serverUp(lab: FaultPort, server: string): Promise<void> {
  await setLinks(lab, (link) => link.a.namespace === server, 'up');
  releaseServices(lab, [server]);
}

/**
 * Sets the far end (b, the router's or transit's) of the chosen links: when it goes down, the near end only loses its carrier
 * and keeps its routes.
 */
async function setLinks(lab: FaultPort, chosen: (link: Link) => boolean, state: 'up' | 'down'): Promise<void> {
  await Promise.all(
    lab.links.filter(chosen).map(({ b }) => lab.network.ip(b.namespace, 'link', 'set', b.device, state)),
  );
}

function isUplink(target: string): (link: Link) => boolean {
  return (link) => target === `${link.a.namespace}/${link.a.device}`;
}

/** Services are named `<machine>/<program>`. */
function servicesOf(lab: FaultPort, machines: readonly string[]): readonly string[] {
  return lab.supervisor.names((service) => machines.includes(service.name.slice(0, service.name.indexOf('/'))));
}

function cloudPods(lab: FaultPort, region: string): readonly string[] {
  return lab.supervisor.names(({ name }) => name.startsWith(`${region}/pod-`));
}

async function holdServices(lab: FaultPort, machines: readonly string[]): Promise<void> {
  await Promise.all(servicesOf(lab, machines).map((name) => lab.supervisor.hold(name)));
}

function releaseServices(lab: FaultPort, machines: readonly string[]): void {
  for (const name of servicesOf(lab, machines)) lab.supervisor.release(name);
}

/** Gives an order about the session of a target `ROUTER/SERVER`. */
async function askRouter(lab: FaultPort, target: string, order: 'disable' | 'enable'): Promise<void> {
  const [router = '', server = ''] = target.split('/');
  await askBird(lab.birdSocket(router), `${order} ${protocolName(server)}`);
}

function killServices(lab: FaultPort, pattern: RegExp): void {
  for (const name of lab.supervisor.names((service) => pattern.test(service.name))) lab.supervisor.kill(name);
}

function machinesOf(
  lab: FaultPort,
  cluster: string,
): { readonly router: string; readonly machines: readonly string[] } {
  const datacentre = lab.world.datacentres.find((candidate) => candidate.cluster === cluster);
  const router = datacentre?.router.name ?? '';
  const servers = datacentre === undefined ? [] : serversOf(datacentre);
  return { router, machines: [router, ...servers.map((server) => server.name)] };
}

/** The cluster of a target: `paris` or `paris/...`. */
function clusterNamed(lab: FaultPort, target: string): FaultedCluster {
  const [name = ''] = target.split('/');
  const cluster = lab.clusters.get(name);
  if (cluster === undefined) throw new Error(`the lab runs no cluster ${name}`);
  return cluster;
}

function clusterOfNode(lab: FaultPort, node: string): FaultedCluster {
  const { cluster = '' } = lab.world.datacentres.find(({ workers }) => workers.some(({ name }) => name === node)) ?? {};
  return clusterNamed(lab, cluster);
}

/** Waits until the router has the routes to the worker's blocks, at most 20 s: a node whose pods cannot be reached is not ready. */
async function routesBack(lab: FaultPort, worker: string): Promise<void> {
  const { datacentre, blocks: all } = clusterOfNode(lab, worker);
  const blocks = all.filter((block) => block.node === worker).map((block) => block.cidr);
  const missing = async (): Promise<string | undefined> => {
    const seen = (await kernelRoutes(lab.network, datacentre.router.name)).map((route) => route.prefix);
    return blocks.find((block) => !seen.includes(block));
  };
  await stillMissing(missing, { clock: lab.clock, timeoutMs: 20_000 });
}

function drainFile(lab: FaultPort, blade: string): string {
  return join(lab.platformFolder, `drain-${blade}.yaml`);
}

function drain(blade: string, nowMs: number): string {
  return `apiVersion: ${apiVersion}
kind: Drain
metadata: { name: lab-${blade} }
spec:
  target: { kind: Blade, name: ${blade} }
  reason: the lab drains it
  expires: ${new Date(nowMs + 3_600_000).toISOString()}
`;
}
