import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeClusterSource, node, service } from '../../../test/support/source/conformance.ts';
import { TestFolder, yaml } from '../../../test/support/source/folder.ts';
import { type Recorder, record } from '../../../test/support/source/recorder.ts';
import { createRegistry } from '../../runtime/metrics.ts';
import { acceptFile } from './source.ts';

describeClusterSource('the manifest folder', () => TestFolder.create());

describe('manifest folder', () => {
  let folder: TestFolder;
  let seen: Recorder;
  beforeEach(async () => {
    folder = await TestFolder.create();
  });
  afterEach(() => folder.end());

  const start = async (files: Record<string, string>): Promise<void> => {
    for (const [file, content] of Object.entries(files)) await folder.write(file, content);
    seen = record(folder.source);
    await seen.live();
  };
  const many = (count: number) => Array.from({ length: count }, (_, index) => node(`n${index}`));

  it('reads many documents, lists, typed lists and JSON at any depth', async () => {
    await start({
      'all.yaml': `# nodes\n${yaml([node('a'), node('b')])}---\n`,
      'deep/er/list.yml': `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: web}}\n`,
      'typed.json': JSON.stringify({ apiVersion: 'v1', kind: 'NodeList', items: [{ metadata: { name: 'c' } }] }),
      'README.md': 'not a manifest',
      '.hidden.yaml': 'not: [a manifest',
    });
    expect(seen.keys('Node')).toEqual(['a', 'b', 'c']);
    expect(seen.keys('Service')).toEqual(['default/web']);
  });

  it('keeps the last good content of a broken file, says file and line, lets others proceed, and recovers', async () => {
    await start({ 'a.yaml': yaml([node('a')]), 'b.yaml': yaml([node('b')]) });
    await folder.write('a.yaml', 'apiVersion: v1\nkind: Node\nmetadata: {name: [\n');
    await seen.stale('SourceUnreadable');
    expect(seen.status).toMatchObject({ message: expect.stringMatching(/^a\.yaml:\d+: .*\(BadYaml\)$/) });
    await folder.write('b.yaml', yaml([node('b'), node('c')]));
    await seen.until('the other file', () => seen.keys('Node').join() === 'a,b,c');
    expect(folder.source.status().phase).toBe('stale');
    await folder.write('a.yaml', yaml([node('a2')]));
    await seen.live();
    expect(seen.keys('Node')).toEqual(['a2', 'b', 'c']);
  });

  it('does not read a file that is too large to be a manifest', async () => {
    await start({ 'a.yaml': yaml([node('a')]) });
    await truncate(join(folder.path, 'a.yaml'), (128 << 20) + 1);
    await seen.stale('SourceUnreadable');
    expect(seen.status).toMatchObject({ message: expect.stringContaining('(FileTooLarge)') });
    expect(seen.keys('Node')).toEqual(['a']);
  });

  it('keeps of one namespace what has room, marks the rest, and leaves other namespaces theirs', async () => {
    const ingress = (namespace: string, name: string) => {
      const rules = [{ http: { paths: [{ path: `/${'x'.repeat(900_000)}`, backend: {} }] } }];
      return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace }, spec: { rules } };
    };
    const list = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    const some = Array.from({ length: 50 }, (_, index) => ingress('greedy', `g${index}`));
    await start({ 'greedy.json': list(some), 'honest.json': list([ingress('video', 'web')]) });
    expect([...(seen.state?.objects.Ingress.values() ?? [])].filter(({ notKept }) => notKept !== undefined)).toEqual(
      [],
    );
    const more = Array.from({ length: 20 }, (_, index) => ingress('greedy', `a${index}`));
    await folder.write('a.json', list(more));
    await seen.until('the new ones', () => seen.keys('Ingress').length === 71);
    const kept = [...(seen.state?.objects.Ingress ?? [])].filter(([, { notKept }]) => notKept === undefined);
    expect(kept.filter(([key]) => key.startsWith('greedy/g'))).toHaveLength(50);
    expect(kept.filter(([key]) => key.startsWith('greedy/a'))).toHaveLength(5);
    expect(kept.map(([key]) => key)).toContain('video/web');
  }, 20_000);

  it('removes nothing while a file is unreadable', async () => {
    await start({ 'a.yaml': yaml([node('a')]), 'b.yaml': yaml([node('b')]) });
    await folder.write('a.yaml', 'garbage');
    await folder.delete('b.yaml');
    await seen.stale('SourceUnreadable');
    await folder.write('c.yaml', yaml([node('c')]));
    await seen.until('the addition', () => seen.keys('Node').includes('c'));
    expect(seen.keys('Node')).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['removed', 'SourceMissing', (input: TestFolder) => input.delete('.')],
    ['emptied of files', 'SourceEmpty', (input: TestFolder) => input.delete('all.yaml')],
    ['truncated', 'SourceEmpty', (input: TestFolder) => input.write('all.yaml', '')],
    ['garbled', 'SourceUnreadable', (input: TestFolder) => input.write('all.yaml', '\u0001\u0002 %%% garbage')],
    ['emptied of known kinds', 'SourceUnreadable', (input: TestFolder) => input.write('all.yaml', 'a: 1')],
  ])('folder %s: stale %s, nothing changes, then it comes back', async (_, reason, lose) => {
    await start({ 'all.yaml': yaml(many(3)) });
    const before = seen.state;
    await lose(folder);
    await seen.stale(reason);
    await folder.write('all.yaml', yaml([...many(3), service('new')]));
    await seen.live();
    expect(before?.objects.Node.size).toBe(3);
    expect(seen.keys('Node')).toEqual(['n0', 'n1', 'n2']);
    expect(seen.keys('Service')).toEqual(['video/new']);
    expect(seen.changes).toHaveLength(2);
  });

  it('takes single deletions at once and holds a mass deletion until a person accepts it', async () => {
    await start({ 'all.yaml': yaml(many(8)) });
    await folder.write('all.yaml', yaml(many(7)));
    await seen.until('one less', () => seen.keys('Node').length === 7);
    await folder.write('all.yaml', yaml([...many(2), service('new')]));
    await seen.stale('SourceImplausible');
    await seen.until('the addition', () => seen.keys('Service').length === 1);
    expect(seen.keys('Node')).toHaveLength(7);
    const message = seen.status?.phase === 'stale' ? seen.status.message : '';
    expect(message).toMatch(/^5 of 7 Node objects are missing; write [0-9a-f]{12} into .*\.tideline-accept/);
    const fingerprint = /write ([0-9a-f]{12})/.exec(message)?.[1] ?? '';
    await writeFile(join(folder.path, acceptFile), 'ffffffffffff\n');
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(seen.keys('Node')).toHaveLength(7);
    await writeFile(join(folder.path, acceptFile), `${fingerprint}\n`);
    await seen.live();
    expect(seen.keys('Node')).toEqual(['n0', 'n1']);
    // The same loss another time is another loss, though the file is still there: nobody has said that this one is meant.
    await folder.write('all.yaml', yaml([...many(7), service('new')]));
    await seen.until('all are back', () => seen.keys('Node').length === 7);
    await folder.write('all.yaml', yaml([...many(2), service('new')]));
    await seen.stale('SourceImplausible');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(seen.keys('Node')).toHaveLength(7);
    await writeFile(join(folder.path, acceptFile), `${fingerprint}\n`);
    await seen.live();
    expect(seen.keys('Node')).toEqual(['n0', 'n1']);
  });

  it('holds only what is in doubt while the folder lives on, and takes an acceptance for what was shown', async () => {
    await start({ 'nodes.yaml': yaml(many(8)), 'rest.yaml': yaml([service('a'), service('b'), service('c')]) });
    await folder.write('nodes.yaml', yaml(many(2)));
    await seen.stale('SourceImplausible');
    const message = seen.status?.phase === 'stale' ? seen.status.message : '';
    const fingerprint = /write ([0-9a-f]{12})/.exec(message)?.[1] ?? '';
    for (let port = 1; port <= 5; port += 1) {
      await folder.write('rest.yaml', yaml([service('a', port), service('b')]));
      await seen.until('a change', () => seen.get('Service', 'video/a')?.spec?.ports?.[0]?.port === port);
    }
    await seen.until('the deletion of another kind', () => seen.keys('Service').length === 2);
    await folder.write('more.yaml', yaml([node('n7'), node('new')]));
    await seen.until('one is back', () => seen.keys('Node').includes('new'));
    expect(seen.keys('Node')).toHaveLength(9);
    expect(seen.status).toMatchObject({ phase: 'stale', reason: 'SourceImplausible' });
    await writeFile(join(folder.path, acceptFile), fingerprint);
    await seen.live();
    expect(seen.keys('Node')).toEqual(['n0', 'n1', 'n7', 'new']);
  });

  it('believes a loss once others have taken the place of what is missing', async () => {
    await start({ 'nodes.yaml': yaml(many(8)) });
    await folder.write('nodes.yaml', yaml(many(3)));
    await seen.stale('SourceImplausible');
    await folder.write('new.yaml', yaml(Array.from({ length: 5 }, (_, index) => node(`x${index}`))));
    await seen.live();
    expect(seen.keys('Node')).toEqual(['n0', 'n1', 'n2', 'x0', 'x1', 'x2', 'x3', 'x4']);
  });

  it('judges its first reading against the last-good state', async () => {
    await start({ 'nodes.yaml': yaml(many(8)) });
    const before = seen.state;
    await folder.end();
    folder = await TestFolder.create({ lastGood: Promise.resolve(before) });
    await folder.write('nodes.yaml', yaml(many(3)));
    seen = record(folder.source);
    await seen.stale('SourceImplausible');
    expect(seen.keys('Node')).toHaveLength(8);
    await folder.write('nodes.yaml', yaml(many(7)));
    await seen.live();
    expect(seen.keys('Node')).toHaveLength(7);
  });

  it('takes nothing away while a lost folder is copied back piece by piece', async () => {
    await folder.end();
    folder = await TestFolder.create({ returnMs: 1500 });
    await start(Object.fromEntries(many(8).map((object, index) => [`${index}.yaml`, yaml([object])])));
    await folder.lose();
    await seen.stale('SourceMissing');
    for (const [index, object] of many(7).entries()) {
      await folder.write(`${index}.yaml`, [object]);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(seen.keys('Node')).toHaveLength(8);
    }
    await seen.live();
    expect(seen.keys('Node')).toHaveLength(7);
  });

  it('still waits when a file was unreadable on the way back from a loss', async () => {
    await start(Object.fromEntries(many(8).map((object, index) => [`${index}.yaml`, yaml([object])])));
    await folder.lose();
    await seen.stale('SourceMissing');
    await folder.write('0.yaml', 'kind: [');
    for (const [index, object] of many(7).entries()) if (index > 0) await folder.write(`${index}.yaml`, [object]);
    await seen.stale('SourceUnreadable');
    await folder.write('0.yaml', many(1));
    await seen.stale('SourceImplausible');
    expect(seen.keys('Node')).toHaveLength(8);
    await seen.live();
    expect(seen.keys('Node')).toHaveLength(7);
  });

  it('never loses an object that moves between files', async () => {
    await start({ 'a.yaml': yaml([node('a'), service('web')]), 'b.yaml': yaml([node('b')]) });
    await folder.write('b.yaml', [node('b'), service('web')]);
    await folder.write('a.yaml', [node('a'), node('c')]);
    await seen.until('the new one', () => seen.keys('Node').includes('c'));
    for (const { state } of seen.changes) expect([...state.objects.Service.keys()]).toEqual(['video/web']);
  });

  it('does not take the pause of a slow writer for the end of a file', async () => {
    await start({ 'all.yaml': yaml(many(3)) });
    const text = yaml(many(40));
    for (let at = 0; at < text.length; at += 200) {
      await folder.write('all.yaml', text.slice(0, at));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await folder.write('all.yaml', text);
    await seen.until('all', () => seen.keys('Node').length === 40);
    await seen.live();
    for (const { state } of seen.changes) expect(state.objects.Node.size).toBeGreaterThanOrEqual(3);
  });

  it('starts without its folder and without a readable file, and waits', async () => {
    await folder.delete('.');
    seen = record(folder.source);
    await seen.until('missing', () => seen.status?.phase === 'syncing' && seen.status.reason === 'SourceMissing');
    await folder.write('a.yaml', 'kind: [');
    await folder.write('b.yaml', [node('b')]);
    await seen.until('bad', () => seen.status?.phase === 'syncing' && seen.status.reason === 'SourceUnreadable');
    expect(seen.changes).toEqual([]);
    await folder.write('a.yaml', [node('a')]);
    await seen.live();
    expect(seen.keys('Node')).toEqual(['a', 'b']);
  });

  it('counts objects, refusals and the age of the last change', async () => {
    await folder.end();
    const registry = createRegistry('test');
    folder = await TestFolder.create({ registry });
    await start({ 'a.yaml': yaml([node('a'), { ...node('b'), spec: { podCIDRs: 1 } }]) });
    const text = await registry.metrics();
    expect(text).toContain('tideline_kube_objects{kind="Node",component="test"} 1');
    expect(text).toContain('tideline_kube_errors_total{reason="WrongType",component="test"} 1');
    expect(text).toContain('tideline_kube_source_phase{phase="live",component="test"} 1');
    expect(text).toMatch(/tideline_kube_last_change_age_seconds\{component="test"\} 0\.\d+/);
  });
});
