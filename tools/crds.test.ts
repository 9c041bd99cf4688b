import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generatedFiles } from './crds.ts';
import { structural } from './spec/structural.ts';

const root = resolve(import.meta.dirname, '..');

describe('generated files', () => {
  test.each([...generatedFiles()])('%s is current', (path, text) => {
    expect(readFileSync(join(root, path), 'utf8'), `${path} is out of date: run make generate`).toBe(text);
  });

  test('no CRD is left over', () => {
    const generated = [...generatedFiles().keys()].filter((path) => path.startsWith('deploy/crds/'));
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
