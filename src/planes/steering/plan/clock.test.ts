import { expect, test } from 'vitest';
import { memoryProviders } from '../../../../test/support/steering/memory.ts';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import type { ZoneProvider } from '../providers/provider.ts';
import { applyZone } from './apply.ts';
import { planStep } from './plan.ts';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 10, 28, 12);
const step = { zone: 'video.example', purpose: { kind: 'everything' } } as const;

const skewed = (provider: ZoneProvider, clockAheadMs: number): ZoneProvider => ({
  ...provider,
  read: async (zone) => ({ ...(await provider.read(zone)), clockAheadMs }),
});

test.each([
  [2 * hourMs, 'the clock of this machine is 2 h ahead of that of Route 53'],
  [-7 * 60_000, 'the clock of this machine is 7 min behind that of Route 53'],
])(
  'a machine whose clock differs by %i ms from the provider plans, says so, and writes nothing',
  async (aheadMs, said) => {
    const platform = await examplePlatform();
    const provider = await memoryProviders()('route53');
    const plan = await planStep(platform, skewed(provider, aheadMs), step, nowMs);
    expect(plan.notices).toContainEqual({
      reason: 'ClockWrong',
      message: `${said}; synchronise it (\`timedatectl\` tells whether it is) and plan again; apply is refused`,
    });
    await expect(applyZone(plan, provider)).rejects.toThrow(/synchronise it .*\(ClockWrong\)/);
    expect((await provider.read('video.example')).records).toEqual([]);
    const close = await planStep(platform, skewed(provider, 240_000), step, nowMs);
    expect(close.notices.map(({ reason }) => reason)).not.toContain('ClockWrong');
    await applyZone(close, provider);
  },
);

test('an apply that stands in the zone with a time to come is named', async () => {
  const platform = await examplePlatform();
  const provider = await memoryProviders()('route53');
  await applyZone(await planStep(platform, provider, step, nowMs + 2 * hourMs, { by: 'anna' }), provider);
  const moving = withDefault(platform, 'paris');
  const { notices } = await planStep(moving, provider, step, nowMs);
  expect(notices).toContainEqual({
    reason: 'ClockWrong',
    message: expect.stringMatching(/^anna applied at 2026-11-28T14:00:00Z, 2 h ahead of this machine's clock/),
  });
  const later = await planStep(moving, provider, step, nowMs + 2 * hourMs);
  expect(later.notices.map(({ reason }) => reason)).not.toContain('ClockWrong');
});
