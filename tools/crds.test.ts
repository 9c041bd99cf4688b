import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kindNames } from '../src/model/spec/kinds.ts';
import { generatedFiles } from './crds.ts';
import { crdOf } from './spec/crd.ts';
import { structural } from './spec/structural.ts';
import { notStructural } from './spec/structural-rules.ts';

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
  test.each(kindNames)('%s keeps the rules of the API server', (kind) => {
    expect(notStructural(crdOf(kind).spec.versions[0]?.schema.openAPIV3Schema, kind)).toEqual([]);
  });

  test('exactly one of several shapes becomes one mapping with a oneOf of required fields', () => {
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
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
      'x-kubernetes-validations': [{ rule: '!has(self.c) || has(self.b)', message: 'c goes with b' }],
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

  test.each([
    [{ properties: { a: { type: 'string' } } }, '.: no type'],
    [{ type: 'object', additionalProperties: false }, '.: additionalProperties must be a schema'],
    [{ type: 'object', $ref: '#/x' }, '.: $ref is forbidden'],
    [
      { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
      '.: properties and additionalProperties exclude each other',
    ],
    [{ type: 'object', oneOf: [{ required: ['a'] }] }, '.: a of oneOf is not among the properties'],
    [
      { type: 'object', properties: { a: { type: 'string' } }, oneOf: [{ required: ['a'], type: 'object' }] },
      '.: oneOf holds type',
    ],
    [{ type: 'array' }, '.: no items'],
  ])('the check finds what breaks the rules: %j', (schema, fault) => {
    expect(notStructural(schema, '.')).toContain(fault);
  });
});
