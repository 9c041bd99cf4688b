import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { BadFile } from './bad-file.ts';
import { parseManifests } from './documents.ts';

const keys = async (text: string) =>
  (await parseManifests(text)).objects.map(({ line, read }) => `${line} ${read.kind}/${read.key ?? '?'}`);

describe('parseManifests', () => {
  it.each([
    ['nothing', '', []],
    ['comments only', '# a\n---\n# b\n---\n', []],
    ['a directive', '%YAML 1.2\n---\napiVersion: v1\nkind: Node\nmetadata: {name: a}\n', ['2 Node/a']],
    [
      'windows line ends',
      '---\r\napiVersion: v1\r\nkind: Node\r\nmetadata: {name: a}\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {name: p}\r\n',
      ['1 Node/a', '5 Pod/default/p'],
    ],
    [
      'dashes inside a scalar',
      'apiVersion: v1\nkind: Node\nmetadata:\n  name: a\n  annotations:\n    x: |\n      ---\n      ----\n',
      ['1 Node/a'],
    ],
    ['JSON in YAML flow style', '{apiVersion: v1, kind: Node, metadata: {name: a}}', ['1 Node/a']],
    ['a namespace where none is due', 'apiVersion: v1\nkind: Node\nmetadata: {name: a, namespace: x}', ['1 Node/a']],
    ['a name with a slash', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}', ['1 Pod/?']],
    ['another Service', 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}', []],
    ['Calico v3', 'apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: p}', ['1 IPPool/p']],
  ])('reads %s', async (_, text, expected) => {
    expect(await keys(text)).toEqual(expected);
  });

  it.each([
    ['an open bracket', 'apiVersion: v1\nkind: Node\nmetadata: {name: [\n', 'BadYaml', 4],
    ['a bad second document', 'apiVersion: v1\nkind: X\n---\na: b: c\n', 'BadYaml', 4],
    ['a scalar', 'hello', 'NotAnObject', 1],
    ['a list item without kind', 'apiVersion: v1\nkind: List\nitems: [{metadata: {name: a}}]', 'NotAnObject', 1],
    ['cut JSON', '{"apiVersion": "v1", "kind": "No', 'BadYaml', 1],
    ['an alias bomb', `a: &a [x, x]\nb: &b [${'*a, '.repeat(99)}*a]\nc: [${'*b, '.repeat(99)}*b]\n`, 'FileTooLarge', 1],
    ['a small alias bomb', `a: &a [x, x]\nb: &b [${'*a, '.repeat(49)}*a]\nc: [${'*b, '.repeat(49)}*b]\n`, 'BadYaml', 1],
  ])('refuses a file with %s', async (_, text, reason, line) => {
    await expect(parseManifests(text)).rejects.toThrow(BadFile);
    await expect(parseManifests(text)).rejects.toMatchObject({ reason, line });
  });

  it('names the field of the wrong type', async () => {
    const text = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}, {port: x}]}\n';
    const [found] = (await parseManifests(text)).objects;
    expect(found?.read).toMatchObject({
      ok: false,
      reason: 'WrongType',
      path: 'spec.ports[1].port',
      message: 'expected a whole number',
    });
  });

  it('keeps of a Secret the certificate only, encoding stringData as the API does', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'x', a: 'b' } },
      data: { password: 'eA==', 'tls.crt': 'Yw==' },
      stringData: { 'tls.key': 'k' },
    };
    const [found] = (await parseManifests(stringify(secret))).objects;
    expect(found?.read.ok === true && found.read.object).toEqual({
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default', annotations: { a: 'b' } },
      data: { 'tls.crt': 'Yw==', 'tls.key': 'aw==' },
    });
  });

  it('parses only what changed when it is given the file before', async () => {
    const document = (name: string) => `---\napiVersion: v1\nkind: Node\nmetadata: {name: ${name}}\n`;
    const before = await parseManifests(document('a') + document('b'));
    const after = await parseManifests(document('x') + document('b'), before.cache);
    expect(after.objects[1]?.read).toBe(before.objects[1]?.read);
  });

  const large = (count: number, indent: number, more: Record<string, unknown> = {}): string =>
    stringify(
      {
        apiVersion: 'v1',
        items: Array.from({ length: count }, (_, index) => ({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: `n${index}`, annotations: { x: 'items:\n- a\n\n  # b\n- c\n', y: 'long '.repeat(40) } },
        })),
        kind: 'List',
        metadata: { resourceVersion: '' },
        ...more,
      },
      { indentSeq: indent > 0 },
    );

  it.each([0, 2])('reads a large list item by item as it reads it whole, indented by %i', async (indent) => {
    const text = large(200, indent);
    const cut = await parseManifests(text);
    // The alias makes the parser read the whole text at once.
    const whole = await parseManifests(`# *a\n${text}`);
    expect(cut.objects.map(({ read }) => read)).toEqual(whole.objects.map(({ read }) => read));
    expect(cut.objects).toHaveLength(200);
    expect([cut.cache.size, whole.cache.size]).toEqual([200, 1]);
    expect(cut.objects[1]?.line).toBe(text.slice(0, text.indexOf('name: n1\n')).split('\n').length - 3);
    const edited = await parseManifests(text.replace('n7\n', 'x7\n'), cut.cache);
    expect(edited.objects.filter(({ read }, index) => read !== cut.objects[index]?.read)).toHaveLength(1);
  });

  it('lets others work while it reads a large list', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await parseManifests(large(2000, 0));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(20);
  });

  it('says where a large list is broken, and does not cut what only looks like one', async () => {
    const text = large(200, 0);
    const broken = text.replace('name: n150\n', 'name: [\n');
    const line = broken.slice(0, broken.indexOf('name: [')).split('\n').length;
    const error = await parseManifests(broken).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ reason: 'BadYaml' });
    expect(Math.abs((error as BadFile).line ?? 0) - line).toBeLessThan(10);
    expect((await parseManifests(large(200, 0, { kind: 'Thing' }))).ignored).toBe(1);
    expect((await parseManifests(large(200, 0, { kind: 'PodList' }))).objects).toHaveLength(200);
  });

  it('never throws anything but BadFile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'---\n :{}[]"\'&*!|>%@#abc'.split('')) }), async (text) => {
        await parseManifests(text).catch((error: unknown) => expect(error).toBeInstanceOf(BadFile));
      }),
    );
  });
});
