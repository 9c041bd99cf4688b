import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { etcdServer, hostileTexts } from '../../support/salt/documents.ts';
import { type Minion, type StateResult, scratchMinion } from '../../support/salt/minion.ts';

const program = { source: 'salt://etcd', bytes: '#!/bin/sh\nexit 0\n' };
const document = etcdServer(program);
const server = document.server.id;
const wordsOf = (results: readonly StateResult[]): readonly string[] =>
  results.filter(({ result }) => result === false).map(({ __id__, comment }) => `${__id__}: ${comment}`);
const changed = (results: readonly StateResult[]): readonly string[] =>
  results.filter(({ changes }) => Object.keys(changes).length > 0).map(({ __id__ }) => __id__);

describe('a document, applied by Salt', () => {
  let minion: Minion;
  let first: readonly StateResult[];

  beforeAll(async () => {
    minion = await scratchMinion('apply');
    await mkdir(join(minion.shared, 'files'));
    await writeFile(join(minion.shared, 'files', 'etcd'), program.bytes);
    await writeFile(join(minion.shared, 'secrets', `${server}.json`), JSON.stringify({ 'etcd-token': 'not for eyes' }));
    first = await minion.apply(document);
  });

  test('makes everything, and starts what runs', async () => {
    expect(wordsOf(first)).toEqual([]);
    expect(await minion.orders()).toEqual([
      'start etcd-snapshot.timer',
      'enable etcd-snapshot.timer',
      'start etcd.service',
      'enable etcd.service',
      'start exabgp.service',
      'enable exabgp.service',
    ]);
  });

  test('a second time changes nothing', async () => {
    const again = await minion.apply(document);
    expect(again.length).toBe(first.length);
    expect([wordsOf(again), changed(again)]).toEqual([[], []]);
    expect(await minion.orders()).toEqual([]);
  });

  test.each(Object.keys(hostileTexts))('%s arrives byte for byte', async (name) => {
    const hex = await minion.run('od', '-An', '-v', '-tx1', `/etc/tideline-etcd/${name}`);
    expect(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex').toString('utf8')).toBe(hostileTexts[name]);
  });

  test('access is as the document says, and a secret is in no result', async () => {
    const places = ['pki/server.key', 'pki/old tools.key', 'pki/server.crt', 'pki/token', 'pki', 'cluster.env'];
    const paths = [...places.map((place) => `/etc/tideline-etcd/${place}`), '/var/lib/tideline-etcd'];
    const access = await minion.run('stat', '--format=%a %U', ...paths);
    const own = 'tideline-etcd';
    expect(access.trim().split('\n')).toEqual([
      `600 ${own}`,
      `600 ${own}`,
      '644 root',
      `600 ${own}`,
      `750 ${own}`,
      `640 ${own}`,
      `700 ${own}`,
    ]);
    expect(await minion.run('cat', '/etc/tideline-etcd/pki/token')).toBe('not for eyes');
    expect(JSON.stringify(first)).not.toContain('not for eyes');
    expect(await minion.run('/usr/local/bin/etcd')).toBe('');
  });

  test('hands in the public keys of its private keys, and nothing else', async () => {
    await minion.call(server, 'saltutil.sync_modules');
    const keys = (await minion.call(server, 'tideline.public_keys')) as Readonly<Record<string, string>>;
    expect(Object.keys(keys)).toEqual(Object.keys(document.pki.keys).sort());
    for (const [path, pem] of Object.entries(keys))
      expect(pem).toBe(await minion.run('openssl', 'pkey', '-in', path, '-pubout'));
  });

  test('tells facts of itself, and says what it cannot know', async () => {
    const facts = (await minion.call(server, 'tideline_health.facts')) as Readonly<Record<string, unknown>>;
    expect(facts).toMatchObject({ server, roles: ['etcd'], failed_units: [], reboot: expect.any(Array) });
    expect(facts['etcd']).toEqual({ problem: 'etcd: the document of this server has no --advertise-client-urls' });
    expect(Object.keys(facts['certificates'] as object)).toEqual(Object.keys(document.pki.certificates));
    expect(await minion.call(server, 'tideline_drain.move_etcd_leader')).toMatchObject({ moved: false });
  });

  test('says of its units and programs how they are, and takes orders for no others', async () => {
    const status = (await minion.call(server, 'tideline_units.status')) as Readonly<Record<string, unknown>>;
    expect(status).toMatchObject({
      versions: { etcd: '3.6.8' },
      failed: [],
      stale: {},
      certificates: {},
      reboot: false,
    });
    expect(status['stale']).toEqual({});
    expect(await minion.call(server, 'tideline_units.restart')).toEqual({ restarted: [] });
    expect(await minion.orders()).toEqual([]);
    // What a unit watches becomes newer than its process: the formula leaves it, and the wave restarts it.
    await minion.run('touch', '-d', '+1 hour', '/etc/tideline-etcd/cluster.env');
    expect(await minion.call(server, 'tideline_units.stale')).toEqual({
      'etcd.service': '/etc/tideline-etcd/cluster.env',
    });
    expect(await minion.call(server, 'tideline_units.restart')).toEqual({ restarted: ['etcd.service'] });
    expect(await minion.orders()).toEqual(['restart etcd.service']);
    await minion.run('touch', '/etc/tideline-etcd/cluster.env');
    await expect(minion.call(server, 'tideline_units.stop', 'units=ssh.service')).rejects.toThrow();
    expect(await minion.orders()).toEqual([]);
  });

  test('what drifted is predicted exactly, and mended exactly', async () => {
    await minion.run('chmod', '0644', '/etc/tideline-etcd/pki/server.key');
    await minion.run('sh', '-c', 'echo other >> /etc/tideline-etcd/exabgp.conf');
    await minion.run('sh', '-c', 'echo other >> /etc/tideline-etcd/cluster.env');
    const drifted = [
      'pki access to key /etc/tideline-etcd/pki/server.key',
      'etcd file /etc/tideline-etcd/cluster.env',
      'exabgp file /etc/tideline-etcd/exabgp.conf',
      'exabgp service exabgp.service',
    ];
    const predicted = await minion.apply(document, 'test=True');
    expect(predicted.filter(({ result }) => result === null).map(({ __id__ }) => __id__)).toEqual(drifted);
    expect(await minion.orders()).toEqual([]);
    const mended = await minion.apply(document);
    expect([wordsOf(mended), changed(mended)]).toEqual([[], drifted]);
    expect(await minion.orders()).toEqual(['reload exabgp.service']);
    expect(changed(await minion.apply(document))).toEqual([]);
  });
});
