import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A kind that Kubernetes does not have, so that it never becomes one of ours. */
const tide = `import type { Body, KindFacts } from '../objects/kind-facts.ts';
import type { KubernetesObject } from '../objects/metadata.ts';
import { type Present, shape, whole } from '../objects/pick.ts';

export interface Tide extends KubernetesObject<'Tide'> {
  readonly spec?: { readonly heightCm?: number };
}

export const tide: KindFacts<Tide> = {
  kind: 'Tide',
  apiVersions: ['sea.example/v2', 'sea.example/v1'],
  plural: 'tides',
  namespaced: true,
  body: shape<Body<Tide>>({ spec: shape<Present<Tide['spec']>>({ heightCm: whole }) }),
};
`;

/** A program that uses the kind wherever kinds are listed; the compiler knows its fields. */
const use = `import { collectionPath, needsDiscovery } from './src/kube/api/resources.ts';
import { parseManifests } from './src/kube/manifests/documents.ts';
import { createSourceMetrics } from './src/kube/metrics.ts';
import { findLoss } from './src/kube/plausible.ts';
import { readSnapshot, writeSnapshot } from './src/kube/snapshot.ts';
import { stateOf } from './src/kube/state.ts';
import { systemClock } from './src/runtime/clock.ts';
import { Registry } from './src/runtime/metrics.ts';

const manifest = 'apiVersion: sea.example/v1\\nkind: Tide\\nmetadata: {name: high}\\nspec: {heightCm: 420, moon: full}\\n';
const [found] = (await parseManifests(manifest)).objects;
if (found?.read.ok !== true) throw new Error('the object is not read');
await writeSnapshot('state.json', stateOf(0, new Map([['Tide', new Map([[found.read.key, found.read.object]])]])));
const snapshot = await readSnapshot('state.json');
if (!snapshot.ok) throw new Error(snapshot.message);
const heightCm: number | undefined = snapshot.state.objects.Tide.get('default/high')?.spec?.heightCm;
const registry = new Registry();
createSourceMetrics(registry, systemClock).changed(snapshot.state);
process.stdout.write(
  JSON.stringify({
    object: snapshot.state.objects.Tide.get('default/high'),
    heightCm,
    path: collectionPath('Tide', 'sea.example/v2'),
    discovered: needsDiscovery('Tide'),
    loss: findLoss('Tide', 4, 3),
    metric: /objects\\{kind="Tide"\\} 1/.test(await registry.metrics()),
  }),
);
`;

const wrong: Readonly<Record<string, string>> = {
  'a-field-without-a-reader': tide.replace('heightCm?: number', 'heightCm?: number; readonly moon?: string'),
  'a-reader-without-a-field': tide.replace('heightCm: whole', 'heightCm: whole, moon: whole'),
  'a-reader-of-another-type': tide.replace('heightCm?: number', 'heightCm?: string'),
  'a-name-of-another-kind': tide.replace("kind: 'Tide'", "kind: 'Node'"),
  'no-plural': tide.replace("  plural: 'tides',\n", ''),
};

/** The text with `line` inserted before the line `at`. */
function withLine(text: string, at: string, line: string): string {
  if (!text.includes(at)) throw new Error(`there is no line ${at}`);
  return text.replace(at, `${line}\n${at}`);
}

describe('a new kind', () => {
  let house: string;
  let misfits: readonly string[];
  beforeAll(async () => {
    house = await mkdtemp(join(tmpdir(), 'tideline-kind-'));
    const filter = (path: string): boolean => !path.endsWith('.test.ts');
    for (const room of ['kube', 'model', 'runtime'])
      await cp(resolve('src', room), join(house, 'src', room), { recursive: true, filter });
    await symlink(resolve('node_modules'), join(house, 'node_modules'));
    const options = { extends: resolve('tsconfig.json'), include: ['*.ts', 'src/kube/*.ts', 'src/kube/kinds'] };
    const table = await readFile('src/kube/kinds.ts', 'utf8');
    const imported = withLine(table, 'import type { KindFacts }', "import { tide } from './kinds/tide.ts';");
    const files: Readonly<Record<string, string>> = {
      'package.json': '{"type":"module"}',
      'tsconfig.json': JSON.stringify(options),
      'use.ts': use,
      'src/kube/kinds.ts': withLine(imported, '};\n\nexport type Kind', '  Tide: tide,'),
      'src/kube/kinds/tide.ts': tide,
      'src/kube/another-name-in-the-table.ts': withLine(imported, '};\n\nexport type Kind', '  Ebb: tide,'),
      ...Object.fromEntries(Object.entries(wrong).map(([name, text]) => [`src/kube/kinds/${name}.ts`, text])),
    };
    for (const [path, text] of Object.entries(files)) await writeFile(join(house, path), text);
    const said = await run(resolve('node_modules/typescript/bin/tsc'), '-p', '.');
    misfits = [...new Set(Array.from(said.matchAll(/^(\S+\.ts)\(\d+,\d+\): error/gm), ([, path = '']) => path))];
  });
  afterAll(() => rm(house, { recursive: true }));

  /** Resolves with the output of a program, whether or not it fails. */
  const run = (script: string, ...args: readonly string[]): Promise<string> =>
    new Promise((done) => {
      execFile(process.execPath, [script, ...args], { cwd: house }, (_, stdout, stderr) => done(stdout || stderr));
    });

  it('is a file and a line: everything that is said of all kinds is said of it', async () => {
    expect(JSON.parse(await run('use.ts'))).toEqual({
      object: { kind: 'Tide', metadata: { name: 'high', namespace: 'default' }, spec: { heightCm: 420 } },
      heightCm: 420,
      path: '/apis/sea.example/v2/tides',
      discovered: true,
      loss: '3 of 4 Tide objects',
      metric: true,
    });
  });

  it('compiles, and half a kind does not', () => {
    expect(misfits.toSorted()).toEqual(
      [
        'src/kube/another-name-in-the-table.ts',
        ...Object.keys(wrong).map((name) => `src/kube/kinds/${name}.ts`),
      ].toSorted(),
    );
  });
});
