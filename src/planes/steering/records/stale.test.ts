import { expect, test } from 'vitest';
import { planZone } from '../../../../test/support/steering/plans.ts';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import { ZoneInMemory } from '../../../../test/support/steering/zones.ts';
import { applyZone } from '../plan/apply.ts';
import { findRegistry } from './registry.ts';
import { staleZone } from './stale.ts';

const zone = 'video.example';
const startMs = Date.parse('2026-11-27T12:00:00Z');

/** A zone to which these people have applied something, one an hour. */
async function writtenBy(...people: readonly string[]): Promise<ZoneInMemory> {
  const subject = new ZoneInMemory('route53');
  const platform = await examplePlatform();
  for (const [hour, by] of people.entries()) {
    const spec = withDefault(platform, hour % 2 === 0 ? 'paris' : 'newyork');
    await applyZone(await planZone(spec, subject.provider, zone, startMs + hour * 3_600_000, { by }), subject.provider);
  }
  return subject;
}

test('a stale writer is told who wrote meanwhile, when, and what to do', async () => {
  const subject = await writtenBy('anna@laptop', 'ben@desk');
  const [first = []] = subject.states;
  const before = findRegistry(zone, first);
  expect(staleZone(zone, { before, now: subject.records }).message).toMatch(
    /^the zone video\.example was changed since it was read: ben@desk did `apply` with plan [0-9a-f]{16} at 2026-11-27T13:00:00\.000Z, from generation 2; plan again, from what the zone holds now \(StaleGeneration\)$/,
  );
});

test('only the last of many are named', async () => {
  const subject = await writtenBy('a', 'b', 'c', 'd', 'e', 'f');
  const before = findRegistry(zone, subject.states[0] ?? []);
  const { message } = staleZone(zone, { before, now: subject.records });
  expect(message).toMatch(/: f did .* generation 6, e did .* generation 5, d did .* generation 4, 2 more before; plan/);
});

test('a writer that has begun is waited for', async () => {
  const subject = await writtenBy('anna', 'ben');
  const before = findRegistry(zone, subject.states[0] ?? []);
  const now = subject.records.map((record) =>
    record.name.startsWith('_apply-2.') && record.target.kind === 'values'
      ? {
          ...record,
          target: { ...record.target, values: record.target.values.map((value) => value.replace(' done ', ' begun ')) },
        }
      : record,
  );
  expect(staleZone(zone, { before, now }).message).toMatch(
    /: ben began `apply` .*; when that is done, or was cut off \(`tideline steering history FOLDER`\), plan again \(/,
  );
});

test('where nobody left a note, the refusal says what was changed', async () => {
  const subject = await writtenBy('anna', 'ben');
  const before = findRegistry(zone, subject.states[0] ?? []);
  const notes = (name: string) => name.startsWith('_apply-');
  const message = (now: typeof subject.records, differing?: string) =>
    staleZone(zone, { before, now, differing }).message;
  expect(message(subject.records.filter(({ name }) => !notes(name)))).toContain(
    ': it is at generation 2, not 1, and no note says by whom; plan again',
  );
  expect(message([])).toContain(': somebody deleted or damaged its generation record; plan again');
  expect(message(subject.states[0] ?? [], 'www.video.example A')).toContain(
    ': the record www.video.example A is not as it was, and Tideline did not write it; plan again',
  );
});
