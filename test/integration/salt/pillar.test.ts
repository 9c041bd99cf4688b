import { execFile } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { documentSigner } from '../../../src/planes/fleet/pki/operator-key.ts';
import { etcdServer } from '../../support/salt/documents.ts';
import { type Minion, scratchMinion } from '../../support/salt/minion.ts';

const run = promisify(execFile);
const document = etcdServer({ source: 'salt://etcd', bytes: '' });
const server = document.server.id;

describe('the pillar of a minion', () => {
  let minion: Minion;
  const pillar = async (id: string): Promise<unknown> => await minion.call(id, 'pillar.items');
  const put = async (value: unknown): Promise<void> =>
    await writeFile(minion.documentOf(server), typeof value === 'string' ? value : JSON.stringify(value));

  beforeAll(async () => {
    const signed = { folder: '/mnt/pillar', public_key: '/mnt/operator.pem' };
    minion = await scratchMinion('pillar', { ext_pillar: [{ tideline: signed }] });
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', join(minion.shared, 'operator.key')]);
    const key = ['-in', join(minion.shared, 'operator.key'), '-pubout', '-out', join(minion.shared, 'operator.pem')];
    await run('openssl', ['pkey', ...key]);
  });

  const sign = async (): Promise<void> => {
    const path = minion.documentOf(server);
    const signer = await documentSigner(join(minion.shared, 'operator.key'));
    await writeFile(`${path}.sig`, signer(await readFile(path, 'utf8')));
  };

  test('is its document, when the operator signed it', async () => {
    await put(document);
    await sign();
    // Salt shows the values of a pillar masked; apply.test.ts uses them.
    expect(await pillar(server)).toHaveProperty('tideline.components.2.units');
  });

  test.each([
    ['changed after it was signed', { ...document, components: [] }],
    ['of another format', { ...document, format: 2 }],
    ['of another server', { ...document, server: { ...document.server, id: 'ams1-etcd-2' } }],
    ['that is no JSON', '{'],
    ['that is too large', `${JSON.stringify(document)}${' '.repeat(1024 * 1024)}`],
  ])('is nothing for a document %s', async (what, value) => {
    await put(value);
    if (!what.startsWith('changed')) await sign();
    expect(await pillar(server)).not.toHaveProperty('tideline');
  });

  test('is nothing without a signature', async () => {
    await put(document);
    await rm(`${minion.documentOf(server)}.sig`);
    expect(await pillar(server)).not.toHaveProperty('tideline');
  });

  test.each(['../pillar/ams1-etcd-1', 'AMS1-etcd-1', '.', 'a..b', 'ams1-etcd-1/'])(
    'is nothing for the id %s',
    async (id) => {
      await put(document);
      await sign();
      expect(await pillar(id).catch(() => ({}))).not.toHaveProperty('tideline');
    },
  );

  test('is nothing for a document behind a link', async () => {
    await put(document);
    await sign();
    await rename(minion.documentOf(server), join(minion.shared, 'elsewhere.json'));
    await run('ln', ['-s', '../elsewhere.json', minion.documentOf(server)]);
    expect(await pillar(server)).not.toHaveProperty('tideline');
    await rm(minion.documentOf(server));
  });
});
