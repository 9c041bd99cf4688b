import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildPlatform } from '../model/spec/build.ts';
import { reasons } from '../model/spec/reasons.ts';
import { readDocuments } from './yaml.ts';

/** Validates a text as the loader does, without files. */
function check(text: string) {
  const read = readDocuments(text, 'input.yaml', '/');
  const built = buildPlatform(read.documents, 0);
  return { problems: [...read.problems, ...built.problems], platform: built.platform };
}

const hybrid = ['sites', 'clusters', 'traffic']
  .map((name) => readFileSync(resolve(import.meta.dirname, `../../examples/hybrid/${name}.yaml`), 'utf8'))
  .join('\n---\n');
const lines = hybrid.split('\n');

test('the text that is mutated here is valid', () => {
  expect(check(hybrid).problems).toEqual([]);
});

/** Every place in these lines where the name of another object is used. */
const references = lines.flatMap((line, index) => {
  const spots = [
    ...line.matchAll(/(?<=(?:sites|failover): \[)[a-z, -]+(?=\])/g),
    ...line.matchAll(/(?<=(?:edgePool|cluster): )[a-z-]+/g),
    ...line.matchAll(/(?<=clusters: \[.*name: )[a-z]+/g),
  ];
  return spots.flatMap((spot) =>
    [...spot[0].matchAll(/[a-z-]+/g)].map((name) => ({ index, at: spot.index + name.index, name: name[0] })),
  );
});

test('any reference that is renamed is caught, on its line', () => {
  expect(references.length).toBe(19);
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z]$/);
  fc.assert(
    fc.property(fc.constantFrom(...references), name, (reference, other) => {
      fc.pre(
        ![
          'paris',
          'newyork',
          'cloud',
          'paris-edge',
          'newyork-edge',
          'cloud-europe',
          'cloud-america',
          'cloud-asia',
        ].includes(other),
      );
      const line = lines[reference.index] ?? '';
      const renamed = line.slice(0, reference.at) + other + line.slice(reference.at + reference.name.length);
      const { problems } = check(lines.with(reference.index, renamed).join('\n'));
      expect(problems).toContainEqual(
        expect.objectContaining({
          reason: 'UnknownName',
          line: reference.index + 1,
          message: expect.stringContaining(`"${other}"`),
        }),
      );
    }),
  );
});

test('any field that is renamed is caught', () => {
  const fields = lines
    .flatMap((line, index) =>
      [...line.matchAll(/[a-zA-Z]+(?=:( |$))/g)].map((field) => ({ index, at: field.index, name: field[0] })),
    )
    .filter(({ index }) => !(lines[index] ?? '').startsWith('#'));
  expect(fields.length).toBeGreaterThan(100);
  for (const { index, at, name } of fields) {
    const line = lines[index] ?? '';
    const { problems } = check(lines.with(index, `${line.slice(0, at)}x${line.slice(at)}`).join('\n'));
    expect(problems.length, `${name} on line ${index + 1}`).toBeGreaterThan(0);
  }
});

test('arbitrary text never throws, and never is a platform', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => {
      expect(check(text).problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});

test('a valid text that is cut, doubled or spoilt anywhere never throws, and every problem is from the catalogue', () => {
  const spoilt = fc
    .tuple(
      fc.nat(hybrid.length),
      fc.nat(60),
      fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom('\t', '\r', '- ', '{', '*a', '&a ', '!!x ', '---\n', 'null'),
      ),
    )
    .map(([at, skip, insert]) => hybrid.slice(0, at) + insert + hybrid.slice(at + skip));
  fc.assert(
    fc.property(spoilt, (text) => {
      for (const problem of check(text).problems) {
        expect(Object.keys(reasons)).toContain(problem.reason);
        expect(problem.line ?? 1).toBeGreaterThan(0);
      }
    }),
    { numRuns: 150 },
  );
});

test('one bad object leaves the problems of all others as they are', () => {
  const bad = `${hybrid}\n---\napiVersion: tideline.dev/v1alpha1\nkind: Drain\nmetadata: { name: late }\nspec: { target: { kind: Site, name: rome }, reason: x, expires: 2027-01-01T00:00:00Z }\n`;
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (text) => {
      const documents = [bad, text].flatMap((part, index) => readDocuments(part, `${index}.yaml`, '/').documents);
      expect(buildPlatform(documents, 0).problems).toContainEqual(
        expect.objectContaining({ reason: 'UnknownName', file: '0.yaml' }),
      );
    }),
  );
});

test('a bomb of aliases is refused at once', () => {
  const bomb = Array.from(
    { length: 9 },
    (_, n) =>
      `a${n}: &a${n} [${Array(9)
        .fill(n === 0 ? 'x' : `*a${n - 1}`)
        .join(', ')}]`,
  ).join('\n');
  expect(check(bomb).problems.map((problem) => problem.reason)).toContain('NotYaml');
});
