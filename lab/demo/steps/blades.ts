import type { Stage } from '../stage.ts';
import { type Step, unnoticed } from '../step.ts';
import { expect } from '../unmet.ts';

/** The VIP of paris with its two blades: `out` is taken out, `stays` stays. */
export function parisVip(stage: Stage) {
  const paris = stage.lab.world.datacentres.find(({ cluster }) => cluster === 'paris');
  const [out, stays] = paris?.blades ?? [];
  const vip = paris?.vips[0];
  expect(out !== undefined && stays !== undefined && vip !== undefined, 'paris has two blades and a VIP');
  return { out, stays, vip, route: `${vip}/32` };
}

export async function untilHops(stage: Stage, route: string, wanted: readonly string[]): Promise<void> {
  const sorted = wanted.toSorted().join(' ');
  await stage.until(async () => {
    const hops = (await stage.nextHops('paris', route)).join(' ');
    return hops === sorted ? undefined : `${route} goes to ${hops || 'nobody'}, not to ${sorted}`;
  });
}

export const bladeDrained: Step = {
  name: 'blade-drained',
  explanation:
    'A Drain object takes one blade of paris out of service: it withdraws the VIP, and finishes what it has. Users notice nothing. Then the Drain is removed and the blade returns.',
  tolerance: unnoticed,
  async run(stage) {
    const { out, stays, route } = parisVip(stage);
    await untilHops(stage, route, [out.address, stays.address]);
    await stage.fault('blade-drained', out.name);
    await untilHops(stage, route, [stays.address]);
    await stage.pause(3000);
    await stage.heal('blade-drained');
    await untilHops(stage, route, [out.address, stays.address]);
    return `${route} moved to ${stays.name} and back`;
  },
};

export const bladeKilled: Step = {
  name: 'blade-killed',
  explanation:
    'One blade of paris loses its power. Its link goes down, the router takes the route away, and the other blade serves: no controller, no DNS change.',
  tolerance: { kind: 'recovers', withinMs: 3000 },
  async run(stage) {
    const { out, stays, route } = parisVip(stage);
    await stage.fault('blade-killed', out.name);
    await untilHops(stage, route, [stays.address]);
    const wrong = (await stage.answers()).find(({ country, route53 }) => country === 'FR' && route53 !== 'paris');
    expect(wrong === undefined, `DNS moved FR to ${wrong?.route53}: routing alone should have mended it`);
    await stage.pause(3000);
    stage.narrate(`${out.name} gets its power back.`);
    await stage.heal('blade-killed');
    await untilHops(stage, route, [out.address, stays.address]);
    return `${stays.name} took over; ${out.name} came back and announced again`;
  },
};
