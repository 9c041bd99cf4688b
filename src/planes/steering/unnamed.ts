import { shellWords } from '../../model/shell-words.ts';
import type { ZoneReader } from './providers/provider.ts';
import { SteeringError } from './reasons.ts';
import { registryOf } from './records/registry.ts';
import type { Told } from './told.ts';
import type { ZoneMemory } from './zone-memory.ts';

/**
 * What to say of a zone that no policy names any more, though this agent planned it before: a file that is gone by mistake looks like that.
 * Resolves with undefined when nothing in it is ours any more, so that there is nothing to say.
 */
export async function unnamedZone(
  { provider, zone }: ZoneMemory,
  reader: ZoneReader,
  specWords: readonly string[],
): Promise<Told | undefined> {
  const hosts = await hostsIn(reader, zone);
  const [first, ...others] = hosts;
  if (first === undefined) return undefined;
  const which = others.length === 0 ? first : `${first} and ${others.length} more`;
  return {
    reason: 'PolicyGone',
    message: `no TrafficPolicy names the zone any more, and ${which} of ours is answered there as before; nothing is changed`,
    fix: `put the TrafficPolicy back, or, if that was meant, ${shellWords(['tideline', 'steering', 'remove', zone, ...specWords, '--provider', provider])}`,
  };
}

/** A zone that the provider does not have holds nothing of ours. */
async function hostsIn(reader: ZoneReader, zone: string): Promise<readonly string[]> {
  try {
    const { records } = await reader.read(zone);
    return registryOf(zone, records).hosts;
  } catch (error) {
    if (error instanceof SteeringError && error.reason === 'ZoneMissing') return [];
    throw error;
  }
}
