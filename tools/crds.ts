import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { buildProgram } from '../src/cli/program.ts';
import { cisReference } from './cis/reference.ts';
import { dashboardFiles } from './dashboards/dashboards.ts';
import { manualPage } from './man/manual.ts';
import { annotationReference } from './spec/annotations.ts';
import { checkClusterReference } from './spec/check-cluster.ts';
import { crdFiles } from './spec/crd.ts';
import { crdReference } from './spec/crd-reference.ts';
import { errorReference } from './spec/errors.ts';
import { metricsReference } from './spec/metrics.ts';
import { specReference } from './spec/reference.ts';
import { outlinesFile } from './world/outlines.ts';

const root = resolve(import.meta.dirname, '..');

/** Every file that is generated from what the code has as a table (schemas, reasons, metrics, commands), by path in the repository. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const commandLine = await readFile(join(root, 'docs/reference/command-line.md'), 'utf8');
  return new Map([
    ...crdFiles(),
    ...dashboardFiles(),
    ['docs/reference/platform-spec.md', specReference(root)],
    ['docs/reference/crds.md', crdReference()],
    ['docs/reference/errors.md', errorReference(root)],
    ['docs/reference/check-cluster.md', checkClusterReference()],
    ['docs/reference/annotations.md', annotationReference()],
    ['docs/reference/metrics.md', metricsReference()],
    ['docs/reference/cis.md', cisReference()],
    ['src/geo/world/outlines.json', outlinesFile()],
    ['docs/reference/tideline.1', manualPage(await buildProgram(), commandLine)],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of await generatedFiles()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
}
