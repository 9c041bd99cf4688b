import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mostPairBytes, pairLengthOf, type Secret } from './kinds/secret.ts';
import { readObject } from './read-object.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';
import { objectsOfKind, stateOf } from './state.ts';

function secretOf(body: Readonly<Record<string, unknown>>): Secret {
  const read = readObject('Secret', {
    type: 'kubernetes.io/tls',
    metadata: { name: 'a', namespace: 'video' },
    ...body,
  });
  if (!read.ok) throw new Error(read.message);
  return read.object as Secret;
}

const base64 = (bytes: number): string => Buffer.alloc(bytes, 120).toString('base64');

it('keeps a certificate and its key, and nothing else', () => {
  const data = { 'tls.crt': base64(mostPairBytes - 3000), 'tls.key': base64(3000) };
  const kept = secretOf({ data: { ...data, 'ca.crt': base64(9), password: base64(9) } });
  expect(kept.data?.['tls.crt'] === data['tls.crt'] && kept.data['tls.key'] === data['tls.key']).toBe(true);
  expect(Object.keys(kept.data ?? {})).toEqual(Object.keys(data));
  expect(pairLengthOf(kept)).toBe(mostPairBytes);
  expect(kept.droppedBytes).toBeUndefined();
});

it.each([
  ['base64', { data: { 'tls.crt': base64(mostPairBytes), 'tls.key': base64(3000) } }],
  ['plain text', { stringData: { 'tls.crt': 'x'.repeat(mostPairBytes), 'tls.key': 'x'.repeat(3000) } }],
])('keeps only the length of a pair that no pool takes, written in %s', (_, body) => {
  const kept = secretOf(body);
  expect(kept).toEqual({
    kind: 'Secret',
    metadata: { name: 'a', namespace: 'video' },
    type: 'kubernetes.io/tls',
    data: {},
    droppedBytes: expect.any(Number),
  });
  expect(pairLengthOf(kept)).toBeGreaterThan(mostPairBytes);
});

it('knows the length again after a snapshot', async () => {
  const long = secretOf({ data: { 'tls.crt': base64(mostPairBytes * 4), 'tls.key': '' } });
  const folder = await mkdtemp(join(tmpdir(), 'secret-'));
  const file = join(folder, 'snapshot.json');
  await writeSnapshot(file, stateOf(1, new Map([['Secret', new Map([['video/a', long]])]])));
  const read = await readSnapshot(file);
  expect(read.ok && objectsOfKind(read.state, 'Secret').get('video/a')).toEqual(long);
  await rm(folder, { recursive: true });
});

it('takes a length that a tenant wrote for no more than a refusal of its own Secret', () => {
  const kept = secretOf({ data: { 'tls.crt': base64(9) }, droppedBytes: -5 });
  expect(kept.data).toEqual({});
});
