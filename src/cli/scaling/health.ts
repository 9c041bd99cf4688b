import type { Platform } from '../../model/spec/platform.ts';
import type { PresentHealth } from '../../planes/scaling/compile/world.ts';

const nobodyAnswers =
  'no entry address of any cluster answers health checks from here, so nobody knows which of them serve: run it where they can be reached';

/** Asks every entry address as DNS providers check it, from this machine. */
export async function presentHealth(platform: Platform): Promise<PresentHealth> {
  const { entriesOf } = await import('../../planes/steering/compile/entries.ts');
  const { probeFromHere } = await import('../steering/connect.ts');
  const entries = [...platform.policies.values()].flatMap((policy) => entriesOf(platform, policy));
  const seen = await Promise.all(
    entries.flatMap(({ cluster, checks }) =>
      checks.map(async (check) => ({ cluster, health: await probeFromHere(check) })),
    ),
  );
  if (seen.length > 0 && seen.every(({ health }) => health === 'silent'))
    return { down: new Set(), unknown: nobodyAnswers };
  const asked = Map.groupBy(seen, ({ cluster }) => cluster);
  const down = [...asked].filter(([, all]) => all.every(({ health }) => health !== 'healthy'));
  return { down: new Set(down.map(([cluster]) => cluster)) };
}
