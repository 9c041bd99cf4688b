import { expect, test } from 'vitest';
import { examplePlatform, withDefault } from '../../../../test/support/steering/world.ts';
import { countriesOf } from '../../../model/geo/countries.ts';
import type { Platform } from '../../../model/spec/platform.ts';
import { intentOf } from '../compile/intent.ts';
import { dialects } from '../dialects/table.ts';
import { impactOf } from './impact.ts';
import { formatCountries } from './text.ts';

const host = 'www.video.example';
const reading = (platform: Platform, provider: 'route53' | 'powerdns') =>
  dialects[provider].interpret(intentOf(platform, provider, 'video.example', 0).wanted.records);

test.each(['route53', 'powerdns'] as const)('%s: the impact is read from the records themselves', async (provider) => {
  const platform = await examplePlatform();
  const before = reading(platform, provider);
  const nothing = dialects[provider].interpret([]);
  const after = reading(withDefault(platform, 'newyork'), provider);
  const impact = impactOf(platform, host, before, after);
  expect(impact.groups[0]).toMatchObject({ before: 'cloud', after: 'newyork' });
  expect(impact.groups.find(({ countries }) => countries.includes('GB'))?.after).toBe('newyork 30%, paris 70%');
  expect(impact.movedShare).toBeCloseTo((246 - 55 - 6) / 246, 9);
  expect(impactOf(platform, host, nothing, after).movedShare).toBe(0);
  expect(impactOf(platform, host, before, nothing).movedShare).toBeCloseTo(1, 9);
  expect(impactOf(platform, host, before, before).movedShare).toBe(0);
});

test('countries are grouped for reading', () => {
  const antarctica = countriesOf('AN').map(({ code }) => code);
  expect(formatCountries([...antarctica, 'FR', 'GB'])).toBe('AN (all 3), FR, GB');
  expect(
    formatCountries(
      countriesOf('AF')
        .slice(0, 20)
        .map(({ code }) => code),
    ),
  ).toMatch(/and 8 more$/);
});
