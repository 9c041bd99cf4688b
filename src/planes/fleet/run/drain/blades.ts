import { leftOfBlade } from '../../../../model/platform/drain-left.ts';
import type { EdgePool } from '../../../../model/spec/kinds.ts';
import { sleep } from '../../../../runtime/clock.ts';
import { ask } from '../ask.ts';
import { BladeView } from '../blade.ts';
import type { DrainContext } from './context.ts';
import { putDrain, removeDrain } from './drain-object.ts';
import type { DrainFault } from './evict.ts';

const target = (name: string) => ({ kind: 'Blade', name }) as const;

/** Drains the blades of a wave together: whether their pools can spare them depends on all of them. */
export async function drainBlades(blades: readonly string[], context: DrainContext): Promise<readonly DrainFault[]> {
  const { api, world, run } = context;
  if (blades.length === 0) return [];
  const pools = world.pools.filter(({ spec }) => spec.blades.some(({ name }) => blades.includes(name)));
  const all = pools.flatMap(({ spec }) => spec.blades.map(({ name }) => name));
  const { said } = await ask(context, all, 'tideline_health.edge', BladeView);
  const small = pools.flatMap((pool) => tooSmall(pool, blades, [...said.values()]));
  if (small.length > 0) return small;
  for (const blade of blades)
    if (!(await putDrain(api, target(blade), `tideline fleet ${run.command}`, context)))
      return [{ reason: 'NotEmpty', message: `${blade} cannot be drained: its cluster does not know Drains` }];
  const left = await untilEmpty(blades, context);
  return left.map((message) => ({ reason: 'NotEmpty', message }));
}

export async function returnBlades(
  blades: readonly string[],
  { api }: Pick<DrainContext, 'api'>,
): Promise<readonly DrainFault[]> {
  for (const blade of blades) await removeDrain(api, target(blade));
  return [];
}

/** Each VIP of a pool that would have too few announcers. One that nobody of the wave announces loses none. */
export function tooSmall(
  { metadata, spec }: EdgePool,
  blades: readonly string[],
  views: readonly BladeView[],
): readonly DrainFault[] {
  const names = spec.blades.map(({ name }) => name);
  return spec.vips.flatMap(({ address }) => {
    const announcers = views.filter(
      ({ blade, vips }) => names.includes(blade) && vips.some((vip) => vip.announced && vip.address === address.text),
    );
    const rest = announcers.filter(({ blade, draining }) => !blades.includes(blade) && !draining);
    if (rest.length >= spec.minAnnouncers || announcers.every(({ blade }) => !blades.includes(blade))) return [];
    const message = `${address.text} of ${metadata.name} would have ${rest.length} announcers of ${spec.minAnnouncers}`;
    return [{ reason: 'PoolTooSmall', message }];
  });
}

/** Resolves with what is left when the time is over. */
async function untilEmpty(blades: readonly string[], context: DrainContext): Promise<readonly string[]> {
  const { clock, signal, everyMs, patienceMs } = context;
  const endMs = clock.monotonic() + patienceMs;
  for (;;) {
    signal.throwIfAborted();
    const { said, problems } = await ask(context, blades, 'tideline_health.edge', BladeView);
    const left = blades.flatMap((blade) => {
      const view = said.get(blade);
      if (view === undefined) return [`${blade}: ${problems.get(blade)}`];
      const { phase, text } = leftOfBlade(blade, view);
      return phase === 'empty' ? [] : [text ?? `${blade} is not empty`];
    });
    if (left.length === 0 || clock.monotonic() >= endMs) return left;
    await sleep(clock, everyMs);
  }
}
