import { execFile } from 'node:child_process';
import { rename, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { service } from '../../../test/support/source/conformance.ts';
import { TestFolder, yaml } from '../../../test/support/source/folder.ts';
import { type Recorder, record } from '../../../test/support/source/recorder.ts';
import { bounds } from './bounds.ts';
import { parseManifests } from './documents.ts';

const head = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n';

/** Texts that the parser alone would need very long for, or that would end in an error of the engine. */
const bombs: readonly (readonly [what: string, text: string, message: string, line: number])[] = [
  ['many values in one line', `---\n---\na: [${'a,'.repeat(2_000_000)}]`, 'values', 2],
  ['many keys', Array.from({ length: 400_000 }, (_, at) => `k${at}: v\n`).join(''), 'values', 1],
  ['comments without end', `a: b\n${'# a\n'.repeat(500_000)}`, 'values', 1],
  ['deep brackets', '['.repeat(200_000), 'levels', 1],
  ['deep JSON that is none', `{"a":${'['.repeat(200_000)}`, 'levels', 1],
  ['deep lists in one line', `${'- '.repeat(200_000)}a`, 'levels', 1],
  ['deep explicit keys', `${'? '.repeat(200_000)}a`, 'levels', 1],
  ['many aliases', `a: &a x\nb: [${'*a,'.repeat(50_000)}]`, 'aliases', 1],
  ['one long text', `${head}    x: ${'x '.repeat(5 << 20)}`, 'characters', 1],
  ['many documents', '---\n'.repeat(200_000), 'documents', 1],
];

describe('a text beyond the bounds', () => {
  it.each(bombs)('is refused by name, with little work: %s', async (_, text, message, line) => {
    const before = process.cpuUsage();
    await expect(parseManifests(text)).rejects.toMatchObject({
      reason: 'FileTooLarge',
      message: expect.stringContaining(message),
      details: { line, expected: expect.stringMatching(/^at most \d+$/), fix: expect.any(String) },
    });
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(4000);
  });

  it('is not what a tenant may write: 5,000 paths, 1,000 endpoints, annotations of 256 KiB, a Secret of 1 MiB', async () => {
    const paths = Array.from(
      { length: 5000 },
      (_, at) => `      - path: /p${at}\n        backend: {service: {name: web, port: {number: 80}}}\n`,
    ).join('');
    const ends = Array.from({ length: 1000 }, (_, at) => `- addresses: [10.1.0.${at}]\n`).join('');
    const text = [
      `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec:\n  rules:\n  - http:\n      paths:\n${paths}`,
      `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\nendpoints:\n${ends}`,
      `${head}    x: ${'x'.repeat(256 << 10)}\n`,
      `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {tls.crt: ${'QUJD'.repeat(256 << 10)}}\n`,
    ].join('---\n');
    const { objects } = await parseManifests(text);
    expect(objects.map(({ read }) => read.ok)).toEqual([true, true, true, true]);
  });
});

describe('a folder beyond the bounds', () => {
  let folder: TestFolder;
  let seen: Recorder;
  beforeEach(async () => {
    folder = await TestFolder.create();
    await folder.write('good.yaml', yaml([service('web')]));
    seen = record(folder.source);
    await seen.live();
  });
  afterEach(() => folder.end());
  const at = (name: string): string => join(folder.path, name);

  const intruders: readonly (readonly [what: string, put: () => Promise<unknown>, message: RegExp])[] = [
    [
      'a FIFO',
      () => promisify(execFile)('mkfifo', [at('x.yaml')]),
      /x\.yaml: is no regular file \(NotAFile\)[^]*fix: /,
    ],
    ['a device', () => symlink('/dev/zero', at('x.yaml')), /x\.yaml: is no regular file \(NotAFile\)/],
    [
      'a file of too many bytes',
      async () => {
        await folder.write('x.yaml', '');
        await truncate(at('x.yaml'), bounds.fileBytes + 1);
      },
      /x\.yaml: has \d+ bytes, and at most 67108864 are read \(FileTooLarge\)[^]*fix: /,
    ],
    [
      'deep nesting',
      () => folder.write('x.yaml', `a: ${'['.repeat(9000)}`),
      /x\.yaml:1: has too many levels \(FileTooLarge\)/,
    ],
    [
      'folders in folders',
      () => folder.write(`${'d/'.repeat(40)}x.yaml`, ''),
      /nested too deeply \(FolderTooLarge\)[^]*fix: /,
    ],
    [
      'folders without end, by links',
      async () => {
        for (let level = 0; level < 20; level += 1) {
          await folder.write(`l${level}/x`, '');
          await symlink(`../l${level + 1}`, at(`l${level}/a`));
          await symlink(`../l${level + 1}`, at(`l${level}/b`));
        }
      },
      /too many folders \(FolderTooLarge\)/,
    ],
  ];

  it.each(intruders)('changes nothing but the status: %s', async (_, put, message) => {
    await put();
    await seen.stale('SourceUnreadable');
    const { status } = seen;
    expect(status?.phase === 'stale' && status.message).toMatch(message);
    expect(seen.keys('Service')).toEqual(['video/web']);
    await folder.write('good.yaml', yaml([service('web'), service('more')]));
    if (!/FolderTooLarge/.test(message.source))
      await seen.until('other files are read', () => seen.keys('Service').length === 2);
  });

  it('keeps the objects of a file in whose place a FIFO is put', async () => {
    await folder.write('more.yaml', yaml([service('more')]));
    await seen.until('both', () => seen.keys('Service').length === 2);
    await promisify(execFile)('mkfifo', [at('.fifo')]);
    await rename(at('.fifo'), at('more.yaml'));
    await seen.stale('SourceUnreadable');
    expect(seen.keys('Service')).toHaveLength(2);
  });

  it('follows links that lead back to it once', async () => {
    await symlink('.', at('a'));
    await symlink('.', at('b'));
    await folder.write('good.yaml', yaml([service('web'), service('more')]));
    await seen.until('the edit', () => seen.keys('Service').length === 2);
    expect(seen.status?.phase).toBe('live');
  });
});
