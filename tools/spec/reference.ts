import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { apiVersion } from '../../src/model/contract.ts';
import { type KindName, kindNames } from '../../src/model/spec/kinds.ts';
import { type JsonSchema, schemaOf } from '../../src/model/spec/schema.ts';

const introduction = `# The platform spec

<!-- Made by \`make generate\` from src/model/spec and examples/hybrid; do not edit. -->

Kubernetes-style objects, \`apiVersion: ${apiVersion}\`, in YAML or JSON files, one or many documents a file. The same schemas
are CustomResourceDefinitions in \`deploy/crds\`. \`tideline check FILE...\` validates files and folders; [errors](errors.md) lists
what it can say.

- Of a folder every \`*.yaml\`, \`*.yml\` and \`*.json\` counts, at any depth, except hidden entries and the manifest folders that
  Clusters name: Kubernetes objects live there.
- A name is a DNS label, unique for its kind. Blades and routers have names unique in the platform. So are
  addresses, except that routers of two sites may share one.
- An address says where it lives: no prefix of a site overlaps another, whatever its role, within a site or between sites. One
  exception: cloud sites may list the same \`vips\` prefix, written alike, since an anycast address lives in each of them.
- An IPv6 address may be written in any usual way, but without dots: not \`::192.0.2.1\`.
- Labels and annotations are those that Kubernetes takes.
- A prefix is at least /8 (IPv4) or /16 (IPv6).
- Countries are the 246 that Route 53 can answer for. Files are YAML 1.2, where \`NO\` is Norway. When the same object goes
  through kubectl, which reads YAML 1.1, write \`"NO"\`.
`;

/** The text of `docs/reference/platform-spec.md`: a table and an example for every kind. */
export function specReference(root: string): string {
  const sections = kindNames.map((kind) => {
    const spec = schemaOf(kind).properties?.['spec'] ?? {};
    const rows = rowsOf(spec, 'spec', true);
    return [
      `## ${kind}\n`,
      `${spec.description ?? ''}\n`,
      '| field | type | default | meaning |',
      '|---|---|---|---|',
      ...rows.map((row) => `| \`${row.path}\` | ${row.type} | ${row.fallback} | ${row.meaning} |`),
      `\n\`\`\`yaml\n${exampleOf(root, kind)}\`\`\`\n`,
    ].join('\n');
  });
  return [introduction, ...sections].join('\n');
}

interface Row {
  readonly path: string;
  readonly type: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** A row for every field below `schema`, parents before children. */
function rowsOf(schema: JsonSchema, path: string, required: boolean): readonly Row[] {
  const own: Row = {
    path,
    type: typeText(schema),
    fallback: fallbackText(schema, required),
    meaning: (schema.description ?? '').replaceAll('|', '\\|'),
  };
  return path === 'spec' ? childRows(schema, path) : [own, ...childRows(schema, path)];
}

function childRows(schema: JsonSchema, path: string): readonly Row[] {
  if (schema.items !== undefined) {
    const { items } = schema;
    return childRows(items, `${path}[]`);
  }
  const choices = schema.anyOf ?? [schema];
  return choices.flatMap((choice) =>
    Object.entries(choice.properties ?? {}).flatMap(([name, property]) => {
      const required = choices.length === 1 && (choice.required ?? []).includes(name);
      return rowsOf(property, `${path}.${name}`, required);
    }),
  );
}

function fallbackText(schema: JsonSchema, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined) return '';
  const text = JSON.stringify(schema.default);
  return text === '{}' ? '' : `\`${text.replaceAll('"', '')}\``;
}

function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined)
    return schema.anyOf.every((choice) => choice.const !== undefined)
      ? codes(schema.anyOf.map((choice) => choice.const))
      : 'mapping';
  if (schema.const !== undefined) return codes([schema.const]);
  if (schema.enum !== undefined) return codes(schema.enum);
  if (schema.type === 'array') return `list of ${plural(typeText(schema.items ?? {}))}${upTo(schema.maxItems)}`;
  if (schema.type === 'object') return 'mapping';
  if (schema.type === 'integer' || schema.type === 'number') {
    const range = rangeText(schema);
    return `${schema.type === 'integer' ? 'whole number' : 'number'}${range === '' ? '' : `, ${range}`}`;
  }
  if (schema.type === 'boolean') return 'true or false';
  if (schema.minLength !== undefined) return `text${upTo(schema.maxLength)}`;
  return formats[schema.format ?? ''] ?? 'text';
}

const formats: Readonly<Record<string, string>> = { 'date-time': 'time', ip: 'IP address', cidr: 'IP prefix' };

function rangeText({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return `above ${exclusiveMinimum}`;
  if (minimum !== undefined && high !== undefined) return `${minimum} to ${high}`;
  return minimum === undefined ? '' : `at least ${minimum}`;
}

/** The largest length of a list, or of a text that a person is free to write. */
function upTo(longest: number | undefined): string {
  return longest === undefined ? '' : `, up to ${longest}`;
}

function codes(values: readonly unknown[]): string {
  return values.map((value) => `\`${String(value)}\``).join(', ');
}

function plural(type: string): string {
  if (type === 'IP prefix') return 'IP prefixes';
  if (type === 'IP address') return 'IP addresses';
  return type === 'text' || type === 'mapping' ? `${type}s` : type;
}

/**
 * The first object of the kind in the example platform; Drain, Freeze, ScalingTarget and the kinds of the fleet have none there, so their examples come from
 * the goldens of valid objects.
 */
function exampleOf(root: string, kind: KindName): string {
  const folder = join(root, 'examples/hybrid');
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  const valid = ['valid', 'valid-fleet', 'valid-scaling'].map((name) =>
    join(root, 'test/golden/check', name, 'input.yaml'),
  );
  const sources = [...files.map((name) => join(folder, name)), ...valid];
  for (const file of sources) {
    const text = readFileSync(file, 'utf8');
    for (const document of parseAllDocuments(text)) {
      if (!('contents' in document) || document.get('kind') !== kind) continue;
      const [start, end] = [document.contents?.range?.[0] ?? 0, document.contents?.range?.[1] ?? 0];
      return `${text.slice(start, end).trimEnd()}\n`;
    }
  }
  throw new RangeError(`no example of ${kind}`);
}
