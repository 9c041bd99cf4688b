import type { EdgePool } from '../../../../model/spec/kinds.ts';
import { ask, type Heard } from '../ask.ts';
import { BladeView } from '../blade.ts';
import type { Gate } from '../handlers.ts';
import type { FleetWorld } from '../world.ts';
import { missing, unheard } from './texts.ts';

/** The blades of the wave are fit, and every VIP of their pools has as many announcers as it must have. */
export function edgeFit(world: FleetWorld): Gate {
  return async ({ servers }, context) => {
    const pools = world.pools.filter(({ spec }) => spec.blades.some(({ name }) => servers.includes(name)));
    const blades = pools.flatMap(({ spec }) => spec.blades.map(({ name }) => name));
    const heard = await ask(context, blades.toSorted(), 'tideline_health.edge', BladeView);
    return judgeEdge(servers, pools, heard);
  };
}

/** `servers` are those of the wave: of the others of their pools only counts whether they announce. */
export function judgeEdge(
  servers: readonly string[],
  pools: readonly EdgePool[],
  { said, problems }: Heard<BladeView>,
): string | undefined {
  const mine = new Map([...problems].filter(([server]) => servers.includes(server)));
  const own = [...said].filter(([server, { blade }]) => blade === server);
  return missing([
    ...unheard(mine),
    ...[...said].flatMap(([server, { blade }]) =>
      servers.includes(server) && blade !== server ? [`${server} answers as the blade ${blade}`] : [],
    ),
    ...own.flatMap(([blade, view]) =>
      servers.includes(blade) ? [...against(view), ...unsaid(view, pools)].map((clause) => `${blade} ${clause}`) : [],
    ),
    ...pools.flatMap((pool) =>
      fewAnnouncers(
        pool,
        own.map(([, view]) => view),
      ),
    ),
  ]);
}

/** VIPs of the pools of a blade of which it says nothing at all. */
function unsaid({ blade, vips, vipsMissing }: BladeView, pools: readonly EdgePool[]): readonly string[] {
  return pools
    .filter(({ spec }) => spec.blades.some(({ name }) => name === blade))
    .flatMap(({ spec }) => spec.vips.map(({ address }) => address.text))
    .filter((address) => vipsMissing[address] === undefined && vips.every((vip) => vip.address !== address))
    .map((address) => `does not know ${address}`);
}

/** A blade that a Drain keeps out of service is fit when nothing else speaks against it. */
function against({ source, fault, draining, vips, vipsMissing }: BladeView): readonly string[] {
  const unfit = vips.flatMap(({ address, reasons, announced }) => {
    const others = reasons.filter((reason) => reason !== 'Draining');
    if (others.length > 0) return [`is not fit for ${address} (${others.join(', ')})`];
    return draining || announced ? [] : [`does not announce ${address}`];
  });
  return [
    ...(source.phase === 'live' ? [] : [`does not read its cluster (${source.reason ?? source.phase})`]),
    ...(fault === undefined ? [] : [`is unfit (${fault})`]),
    ...Object.entries(vipsMissing).map(([address, why]) => `does not have ${address} (${why})`),
    ...unfit,
  ];
}

/** Each VIP that fewer blades announce than must. */
function fewAnnouncers({ metadata, spec }: EdgePool, views: readonly BladeView[]): readonly string[] {
  const names = spec.blades.map(({ name }) => name);
  const own = views.filter(({ blade }) => names.includes(blade));
  return spec.vips.flatMap(({ address }) => {
    const announcers = own.filter(({ vips }) => vips.some((vip) => vip.announced && vip.address === address.text));
    return announcers.length >= spec.minAnnouncers
      ? []
      : [`${address.text} of ${metadata.name} has ${announcers.length} announcers of ${spec.minAnnouncers}`];
  });
}
