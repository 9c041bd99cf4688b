import type { Platform } from '../../model/spec/platform.ts';
import { type CompiledFleet, compileFleet } from './compile/compile.ts';
import type { AgentUnits } from './compile/context.ts';
import type { ShippedObjects } from './compile/objects.ts';
import { badFleet } from './reasons.ts';

/** What this package brings as files. */
export interface Shipped {
  readonly units: AgentUnits;
  readonly objects: ShippedObjects;
}

/** The fleets of a platform, for a person who asked for them. Throws an InputError when there is none. `place` is where the spec was read. */
export function wholeFleet(platform: Platform, shipped: Shipped, place: string): CompiledFleet {
  if (platform.fleets.size === 0)
    throw badFleet(
      'NoFleet',
      `no Fleet in ${place}`,
      'describe one: examples/fleet/fleet.yaml is one, and docs/reference/platform-spec.md has its fields',
    );
  const compiled = compileFleet(platform, shipped.units, shipped.objects);
  if (compiled.refusedFlags.length > 0)
    throw badFleet('FlagRemoved', compiled.refusedFlags.join(', '), 'report it, with the versions of the Fleet');
  return compiled;
}
