import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressAt, parsePrefix } from '../../src/model/address.ts';
import { healthPathOf } from '../../src/model/contract.ts';
import type { Platform } from '../../src/model/spec/platform.ts';
import type { Backend, BalancerSettings } from '../daemons/balancer/settings.ts';
import type { Network } from '../net/network.ts';
import type { Supervisor } from '../supervise.ts';
import { application } from './application.ts';
import { compression } from './platform.ts';
import type { CloudRegion, World } from './topology.ts';
import { podServer } from './webserver.ts';

export interface CloudOptions {
  readonly world: World;
  readonly platform: Platform;
  readonly network: Pick<Network, 'ip'>;
  readonly supervisor: Pick<Supervisor, 'start'>;
  readonly runFolder: string;
  readonly node: string;
  readonly certificate: BalancerSettings['certificate'];
}

/** A pod of a region: its address is one of the region's network, and its process runs beside the others of the region. */
interface CloudPod {
  readonly name: string;
  readonly zone: string;
  readonly address: string;
}

const zones = ['a', 'b'] as const;
/** What a pod serves where neither a ScalingTarget nor a capacity of the cluster says it, in requests a second. */
const usualRate = 50;
/** Where a region's part of the load balancer answers with its metrics, and what it knows. */
const balancerPort = 9901;
/** The first address of a pod in the network of its region. */
const firstPod = 11;

/**
 * The cloud's clusters and the load balancer in front of them, which play the provider's. A pod serves at a limited rate, then lets requests wait, and
 * then refuses. Each region has a part of the load balancer, which listens on the anycast address; it knows the pods of all regions.
 */
export class Cloud {
  readonly #options: CloudOptions;
  readonly #pods = new Map<string, readonly CloudPod[]>();

  constructor(options: CloudOptions) {
    this.#options = options;
  }

  /** Starts a pod in each zone, and the load balancer. */
  async start(): Promise<void> {
    const { world } = this.#options;
    await mkdir(this.#folder, { recursive: true });
    await Promise.all(world.regions.map((region) => this.#startPods(region)));
    const clusters = Map.groupBy(world.regions, ({ cluster }) => cluster);
    await Promise.all(
      [...clusters].map(async ([cluster, regions]) => {
        await this.#writeBackends(cluster, regions);
        await Promise.all(regions.map((region) => this.#startBalancer(region, regions)));
      }),
    );
  }

  get #folder(): string {
    return join(this.#options.runFolder, 'cloud');
  }

  async #startPods(region: CloudRegion): Promise<void> {
    const { network, supervisor } = this.#options;
    const { site, cluster } = region;
    const pods = zones.map((zone, index) => podOf(region, zone, index));
    this.#pods.set(site, pods);
    const requestsPerSecond = podRate(this.#options.platform, region, pods.length);
    for (const { name, address } of pods) {
      await network.ip(site, 'addr', 'add', `${address}/32`, 'dev', 'lo');
      const service = await podServer({
        identity: { pod: name, node: site, cluster },
        namespace: site,
        listen: `${address}:${application.podPort}`,
        directory: join(this.#folder, name),
        // As many wait as are served in a second.
        limit: { requestsPerSecond, queue: requestsPerSecond },
      });
      supervisor.start(service);
    }
  }

  /** The file that the parts of the load balancer read: a backend for each zone, as GKE makes network endpoint groups. */
  async #writeBackends(cluster: string, regions: readonly CloudRegion[]): Promise<void> {
    const { platform } = this.#options;
    const fill = platform.clusters.get(cluster)?.spec.utilisation?.emergency ?? 0.9;
    const backends = regions.flatMap((region) => {
      const pods = this.#pods.get(region.site) ?? [];
      return zones.map(
        (zone): Backend => ({
          name: `${region.site}-${zone}`,
          region: region.site,
          zone,
          maxRatePerEndpoint: podRate(platform, region, pods.length) * fill,
          capacityScaler: 1,
          endpoints: pods.filter((pod) => pod.zone === zone).map(({ address }) => `${address}:${application.podPort}`),
        }),
      );
    });
    const unfinished = join(this.#folder, `.${cluster}.json`);
    await writeFile(unfinished, JSON.stringify(backends));
    await rename(unfinished, this.#backendsFile(cluster));
  }

  #backendsFile(cluster: string): string {
    return join(this.#folder, `${cluster}.json`);
  }

  async #startBalancer({ site, cluster, anycast, address }: CloudRegion, all: readonly CloudRegion[]): Promise<void> {
    const { supervisor, node, certificate } = this.#options;
    const settings: BalancerSettings = {
      frontEnd: site,
      addresses: anycast,
      certificate: { chainFile: certificate.chainFile, keyFile: certificate.keyFile },
      admin: { address, port: balancerPort },
      others: all
        .filter((other) => other.site !== site)
        .map((other) => ({ frontEnd: other.site, url: `http://${other.address}:${balancerPort}` })),
      regions: Object.fromEntries(all.map((region) => [region.site, region.location])),
      // Every 10 s and after a minute, in production.
      check: {
        path: healthPathOf(application.policy),
        intervalMs: 10_000 / compression.healthFactor,
        timeoutMs: 900,
      },
      drainSteadyMs: 60_000 / compression.healthFactor,
      backendsFile: this.#backendsFile(cluster),
    };
    const file = join(this.#folder, `${site}-balancer.json`);
    await writeFile(file, JSON.stringify(settings));
    supervisor.start({
      name: `${site}/balancer`,
      namespace: site,
      command: node,
      arguments: [join(import.meta.dirname, '..', 'daemons', 'balancer', 'main.ts'), file],
    });
  }
}

function podOf({ site, prefix: text }: CloudRegion, zone: string, index: number): CloudPod {
  const prefix = parsePrefix(text);
  const address = prefix === undefined ? undefined : addressAt(prefix, firstPod + index);
  if (address === undefined) throw new Error(`the network of ${site} has no address left for a pod`);
  return { name: `web-${site}-${index + 1}`, zone, address: address.text };
}

/** What one pod of a region serves in a second: as its ScalingTarget says, or its part of what the cluster carries. */
function podRate({ scalingTargets, clusters }: Platform, { cluster, site }: CloudRegion, pods: number): number {
  const target = [...scalingTargets.values()].find(({ spec }) => spec.cluster === cluster && spec.site === site);
  if (target !== undefined) return target.spec.callsPerSecond;
  const spec = clusters.get(cluster)?.spec;
  return spec?.capacity === undefined
    ? usualRate
    : spec.capacity.requestsPerSecond / spec.sites.length / Math.max(1, pods);
}
