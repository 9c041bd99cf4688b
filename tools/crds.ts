import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { annotationReference } from './spec/annotations.ts';
import { checkClusterReference } from './spec/check-cluster.ts';
import { crdFiles } from './spec/crd.ts';
import { crdReference } from './spec/crd-reference.ts';
import { errorReference } from './spec/errors.ts';
import { specReference } from './spec/reference.ts';

const root = resolve(import.meta.dirname, '..');

/** Every file that is generated from the schemas of the platform spec, by path in the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ...crdFiles(),
    ['docs/reference/platform-spec.md', specReference(root)],
    ['docs/reference/crds.md', crdReference()],
    ['docs/reference/errors.md', errorReference(root)],
    ['docs/reference/check-cluster.md', checkClusterReference()],
    ['docs/reference/annotations.md', annotationReference()],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
}
