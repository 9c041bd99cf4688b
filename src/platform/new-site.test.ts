import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parsePrefix } from '../model/address.ts';
import { addingSite, type NewSite } from './new-site.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tideline-new-site-'));
  await cp('examples/hybrid', folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const prefixes = (...texts: readonly string[]) => texts.flatMap((text) => parsePrefix(text) ?? []);
const rome: NewSite = {
  name: 'rome',
  like: 'paris',
  location: { country: 'IT', latitude: 41.9, longitude: 12.5 },
  prefixes: { pods: prefixes('10.30.0.0/16'), servers: prefixes('10.3.0.0/24'), vips: prefixes('203.0.114.0/28') },
  routerAsn: 65_030,
  serverAsn: 65_031,
};
const adding = (change: Partial<NewSite> = {}) => addingSite([folder], { ...rome, ...change }, 0);

async function edited(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(folder, file), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(folder, file), text.replace(from, to));
}

describe('a site like another one', () => {
  it('has its routers, cluster, blades and VIPs in prefixes and under names of its own, and no users yet', async () => {
    const { after, edits, clusters, edgePools, spanning } = await adding();
    expect([clusters, edgePools, spanning]).toEqual([['rome'], ['rome-edge'], []]);
    expect(edits.map(({ file }) => file)).toEqual([join(folder, 'rome.yaml')]);
    const { routers, serverAsn, location } = after.sites.get('rome')?.spec ?? {};
    expect([routers, serverAsn, location]).toEqual([
      [{ name: 'rome-tor', address: { family: 4, text: '10.3.0.1' }, asn: 65_030 }],
      65_031,
      rome.location,
    ]);
    expect(after.clusters.get('rome')?.spec).toMatchObject({ sites: ['rome'], entry: { edgePool: 'rome-edge' } });
    const pool = after.edgePools.get('rome-edge')?.spec;
    expect(pool?.blades.map(({ name, address }) => `${name} ${address.text}`)).toEqual([
      'rome-blade-1 10.3.0.21',
      'rome-blade-2 10.3.0.22',
    ]);
    expect(pool?.vips.map(({ address }) => address.text)).toEqual(['203.0.114.10']);
    expect(after.policies).toEqual((await adding()).before.policies);
  });

  it('gives a name that does not have that of the other site one with its own before it', async () => {
    await edited('clusters.yaml', 'name: paris-blade-1,', 'name: b1,');
    await edited('clusters.yaml', 'name: paris-blade-2,', 'name: parisian,');
    const { after } = await adding();
    expect(after.edgePools.get('rome-edge')?.spec.blades.map(({ name }) => name)).toEqual(['rome-b1', 'rome-parisian']);
  });

  it('of a region of a cluster that serves others too is the Site alone', async () => {
    const vips = prefixes('203.0.113.0/28');
    const { after, clusters, spanning } = await adding({
      like: 'cloud-asia',
      prefixes: { pods: [], servers: [], vips },
    });
    expect([clusters, spanning, after.sites.get('rome')?.spec.type]).toEqual([[], ['cloud'], 'cloud']);
  });

  it.each<[string, Partial<NewSite>, RegExp]>([
    ['a name that is taken', { name: 'newyork' }, /there is a Site newyork already/],
    ['another site that is none', { like: 'pariss' }, /there is no Site "pariss".*did you mean "paris"/s],
    [
      'too few prefixes',
      { prefixes: { ...rome.prefixes, pods: [] } },
      /--pods: 0 prefixes are given, and paris has 10\.10\.0\.0\/16/,
    ],
    [
      'a prefix that is too small',
      { prefixes: { ...rome.prefixes, servers: prefixes('10.3.0.0/28') } },
      /--servers: 10\.3\.0\.0\/28 has no place for the like of 10\.1\.0\.\d+/,
    ],
    [
      'a prefix of another site',
      { prefixes: { ...rome.prefixes, pods: prefixes('10.20.0.0/16') } },
      /rome\.yaml:\d+: Site\/rome .*PrefixOverlap|overlap/,
    ],
    ['a name that is none', { name: 'Rome' }, /rome|Rome/],
  ])('is refused: %s', async (_what, change, says) => {
    await expect(adding(change)).rejects.toThrow(says);
  });

  it('needs AS numbers where there are routers', async () => {
    const { routerAsn: _, ...without } = rome;
    await expect(addingSite([folder], without, 0)).rejects.toThrow(
      /--router-asn: is needed, because paris has routers/,
    );
  });
});
