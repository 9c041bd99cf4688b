import { randomUUID } from 'node:crypto';
import type { Speaker } from '../../bgp/speaker.ts';
import type { Prefix } from '../../model/address.ts';
import { runFiles } from '../../model/contract.ts';
import { poolsOfCluster } from '../../model/platform/places.ts';
import { compareText, withoutUndefined } from '../../model/values.ts';
import type { EdgeAgentOptions } from '../../planes/edge/agent.ts';
import type { BladePlatform } from '../../planes/edge/compile/platform.ts';
import type { Publisher } from '../../planes/edge/publish/publisher.ts';
import type { DataPlane } from '../../planes/edge/table.ts';
import type { PairFile } from '../../planes/edge/tables/pairs.ts';
import type { VipBrake } from '../../planes/edge/vips/brake.ts';
import type { Peers } from '../../planes/edge/vips/peers.ts';
import type { AgentArguments, AgentHost } from '../agent/host.ts';
import type { ListenAddress } from '../options.ts';

export interface BladeArguments extends AgentArguments {
  readonly pool: string;
  readonly blade: string;
  readonly metricsAddress?: ListenAddress;
  readonly peerPort?: number;
}

export type BladeHost = AgentHost<BladeArguments, BladePlatform>;

/** The nginx of this blade, driven through its control socket. */
export async function dataPlane({ runFile, clock, log }: BladeHost): Promise<DataPlane> {
  const { createDataPlane } = await import('../../planes/edge/nginx/driver.ts');
  return createDataPlane({ socketPath: runFile(runFiles.nginxSocket), clock, log: log.child({ room: 'nginx' }) });
}

/** What keeps VIPs in force for a while that an edit takes out of the pool. */
export async function vipBrake({ given, platform, acceptFile, runFile, clock, log }: BladeHost): Promise<VipBrake> {
  const { VipBrake: Brake } = await import('../../planes/edge/vips/brake.ts');
  const { AcceptFile } = await import('../../kube/watch/accept-file.ts');
  const { vipFile } = await import('../../planes/edge/vips/kept-vips.ts');
  const accepts = new AcceptFile(acceptFile, log);
  const kept = vipFile(runFile(runFiles.edgeVips), log);
  return new Brake({ platform, blade: given.blade, accepts, kept, clock, log });
}

/**
 * The ExaBGP of this blade, driven through its relay. The VIPs have a lease, so that a blade that falls silent loses them. `beyond`
 * are VIPs that may be announced although the Site has them no longer.
 */
export async function speaker(
  { given, platform, runFile, clock, log, registry }: BladeHost,
  beyond: () => readonly Prefix[],
): Promise<Speaker> {
  const { createSpeaker } = await import('../../bgp/driver/speaker.ts');
  const { limitsOf } = await import('../../bgp/render/limits.ts');
  const { resolveServer } = await import('../../bgp/render/server.ts');
  const started = resolveServer(platform().platform, given.blade, undefined);
  // An edit of the Site or of the pool holds for a running agent as well, as far as the platform still knows this blade.
  const now = (): ReturnType<typeof resolveServer> => {
    try {
      return resolveServer(platform().platform, given.blade, undefined);
    } catch {
      return started;
    }
  };
  const lease = started.blade?.lease;
  return createSpeaker({
    socketPath: runFile(runFiles.relaySocket),
    limits: () => limitsOf(now().site, beyond()),
    ...(lease === undefined ? {} : { lease: () => now().blade?.lease ?? lease }),
    clock,
    log: log.child({ room: 'bgp' }),
    registry,
  });
}

/** The other blades of the pool: this one withdraws a VIP only when another one announces it. */
export async function peers({ given, platform, listen, clock, access }: BladeHost): Promise<Peers> {
  const { HttpPeers } = await import('../../planes/edge/vips/peers.ts');
  return new HttpPeers({
    clock,
    port: given.peerPort ?? listen.port,
    peers: () =>
      platform()
        .pool.spec.blades.filter(({ name }) => name !== given.blade)
        .map(({ name, address }) => ({ name, address: address.text })),
    vips: () => platform().pool.spec.vips.map(({ address }) => address.text),
    intervalMs: 1000,
    timeoutMs: 500,
    access,
  });
}

/** The last good certificates, in a file of the run directory. */
export async function pairs({ runFile, log }: BladeHost): Promise<PairFile> {
  const { pairFile } = await import('../../planes/edge/tables/pair-file.ts');
  return pairFile(runFile(runFiles.edgeCertificates), log);
}

/** The publisher of status and events to the cluster; a folder of manifests has none, because nothing can be written to it. */
export async function publisher(host: BladeHost): Promise<Pick<EdgeAgentOptions, 'publisher'>> {
  const { given, client, platform, clock, log, registry } = host;
  if (client === undefined) return {};
  const { specStatuses } = await import('../agent/spec-statuses.ts');
  const { Publisher: Writer } = await import('../../planes/edge/publish/publisher.ts');
  // Of several pools of a cluster the first one by name writes the status of the spec.
  const isWriter = (): boolean => {
    const { platform: whole, pool } = platform();
    const names = poolsOfCluster(whole, pool.spec.cluster).map(({ metadata }) => metadata.name);
    return names.toSorted(compareText)[0] === pool.metadata.name;
  };
  const whole = () => platform().platform;
  const leads = () => made.status().leading;
  const others = await specStatuses({ ...host, client, platform: whole, isWriter, leads });
  const made: Publisher = new Writer({
    client,
    pool: () => platform().pool,
    blade: given.blade,
    identity: `${given.blade}_${randomUUID()}`,
    clock,
    random: Math.random,
    log: log.child({ room: 'publish' }),
    registry,
    ...withoutUndefined({ others }),
  });
  return { publisher: made };
}
