import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apiKindNames } from '../src/model/spec/kinds.ts';
import { generatedFiles } from './crds.ts';
import { crdOf } from './spec/crd.ts';
import { structural } from './spec/structural.ts';

const root = resolve(import.meta.dirname, '..');
const files = await generatedFiles();

describe('generated files', () => {
  test.each([...files])('%s is current', (path, text) => {
    expect(readFileSync(join(root, path), 'utf8'), `${path} is out of date: run make generate`).toBe(text);
  });

  test('no CRD is left over', () => {
    const generated = [...files.keys()].filter((path) => path.startsWith('deploy/crds/'));
    expect(readdirSync(join(root, 'deploy/crds')).map((name) => `deploy/crds/${name}`)).toEqual(generated.toSorted());
  });
});

describe('structural schemas', () => {
  test('exactly one of several shapes becomes one mapping with a rule', () => {
    const shape = (name: string, extra = {}) => ({
      type: 'object',
      properties: { [name]: { type: 'string' }, ...extra },
      required: [name],
      additionalProperties: false,
    });
    const schema = structural({ anyOf: [shape('a'), shape('b', { c: { type: 'boolean' } })] }, 'x');
    expect(schema).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'boolean' } },
      'x-kubernetes-validations': [
        {
          rule: '[has(self.a), has(self.b)].exists_one(chosen, chosen)',
          message: 'WrongChoice: exactly one of a or b',
        },
        {
          rule: '!has(self.c) || has(self.b) || !(has(self.a))',
          message: 'UnknownField: c goes with b',
          fieldPath: '.c',
        },
      ],
    });
  });

  test('literals become an enum, exclusive bounds OpenAPI v3.0', () => {
    expect(
      structural(
        {
          anyOf: [
            { type: 'number', const: 10 },
            { type: 'number', const: 30 },
          ],
        },
        'x',
      ),
    ).toEqual({
      type: 'integer',
      enum: [10, 30],
    });
    expect(structural({ type: 'number', exclusiveMinimum: 0 }, 'x')).toEqual({
      type: 'number',
      minimum: 0,
      exclusiveMinimum: true,
    });
  });

  test('a keyword that nobody thought of is refused', () => {
    expect(() => structural({ type: 'string', contentEncoding: 'base64' } as object, 'x')).toThrow(
      'x: unknown keyword contentEncoding',
    );
  });
});

/** Words that YAML 1.1, which kubectl reads, takes for a boolean or for nothing. */
const otherTypes = /^(?:y|n|yes|no|on|off|true|false|null|~)$/i;

/** Every value that a schema lists, anywhere. */
function listed(schema: unknown): readonly unknown[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'enum' in schema && Array.isArray(schema.enum) ? schema.enum : [];
  return [...own, ...Object.values(schema).flatMap(listed)];
}

test.each(apiKindNames)('%s has no value that kubectl would read as another type', (kind) => {
  const schemas = crdOf(kind).spec.versions.map(({ schema }) => schema.openAPIV3Schema.properties['spec']);
  const values = listed(schemas).filter((value) => typeof value === 'string');
  expect(values.filter((value) => otherTypes.test(value))).toEqual([]);
});
