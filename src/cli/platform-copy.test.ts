import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepSpecOf } from '../../test/support/spec-copy.ts';
import { specApiFileOf } from '../model/contract.ts';
import { platformOfPlaces } from './platform-copy.ts';

let folder: string;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-copy-'));
  said = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const copyOf = (cluster: string): string => join(folder, specApiFileOf('edge', cluster));
const kept = (places: { readonly platform?: string } = {}) => platformOfPlaces({ platformCopy: [folder], ...places });

describe('a platform without a folder', () => {
  it('is what the agent kept of APIs, and says of when that is', async () => {
    await keepSpecOf('examples/hybrid', copyOf('paris'));
    await utimes(copyOf('paris'), 1_700_000_000, 1_700_000_000);
    const platform = await kept();
    expect([...platform.sites.keys()].toSorted()).toEqual([
      'cloud-america',
      'cloud-asia',
      'cloud-europe',
      'newyork',
      'paris',
    ]);
    expect(platform.edgePools.get('paris-edge')?.spec.blades).toHaveLength(2);
    expect(said.join('')).toBe(
      `read what the API of cluster paris said last, kept in ${copyOf('paris')} on 2023-11-14T22:13:20.000Z\n`,
    );
  });

  it('takes equal copies of two APIs as one, and a copy of two agents once', async () => {
    await keepSpecOf('examples/hybrid', copyOf('paris'));
    await keepSpecOf('examples/hybrid', copyOf('newyork'));
    await keepSpecOf('examples/hybrid', join(folder, specApiFileOf('network', 'paris')));
    expect((await kept()).clusters.size).toBe(3);
    expect(said.join('').match(/^read /gm)).toHaveLength(2);
  });

  it('says where nothing was kept yet, and what to do', async () => {
    await expect(kept()).rejects.toThrow(
      /no agent has kept a platform spec in .* yet \(PlatformMissing\)\s+fix: start the agent/,
    );
    await expect(platformOfPlaces({ platform: '', platformCopy: [] })).rejects.toThrow(
      /nothing says where .* \(NoSpecSource\)/,
    );
  });

  it('names a copy that cannot be read, and uses the others', async () => {
    await keepSpecOf('examples/hybrid', copyOf('paris'));
    await writeFile(copyOf('newyork'), '{"kind":');
    expect((await kept()).clusters.size).toBe(3);
    expect(said.join('')).toMatch(/platform-edge-newyork\.json is left out: .*\(SourceUnreadable\)/);
  });
});

describe('a platform with a folder', () => {
  it('is that of the folder, with or without a copy', async () => {
    expect((await kept({ platform: 'examples/hybrid' })).sites.size).toBe(5);
    await keepSpecOf('examples/hybrid', copyOf('paris'));
    expect((await kept({ platform: 'examples/hybrid' })).sites.size).toBe(5);
    await expect(kept({ platform: join(folder, 'none') })).rejects.toThrow(/none/);
  });
});
