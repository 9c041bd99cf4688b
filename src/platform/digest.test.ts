import { expect, it } from 'vitest';
import { platformDigest } from './digest.ts';
import { loadPlatformOrThrow } from './load.ts';

it('a digest is that of what the spec says, not of how it is written', async () => {
  const platform = await loadPlatformOrThrow(['examples/hybrid']);
  const digest = platformDigest(platform);
  expect(digest).toMatch(/^[0-9a-f]{12}$/);
  const reversed = new Map(
    [...platform.sites].toReversed().map(([name, { spec, ...rest }]) => [name, { spec, ...rest }]),
  );
  expect(platformDigest({ ...platform, sites: reversed as typeof platform.sites })).toBe(digest);
  expect(platformDigest({ ...platform, drains: new Map() })).toBe(
    platform.drains.size === 0 ? digest : expect.not.stringMatching(digest),
  );
  const [name, site] = [...platform.sites][0]!;
  const edited = new Map([...platform.sites, [name, { ...site, metadata: { name: 'another' } }]]);
  expect(platformDigest({ ...platform, sites: edited })).not.toBe(digest);
});
