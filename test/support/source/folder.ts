import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { createManifestSource, type ManifestSourceOptions } from '../../../src/kube/manifests/source.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { type Manifest, type SourceInput, service } from './conformance.ts';

/** A manifest folder of a test, with a source that scans it often. */
export class TestFolder implements SourceInput {
  readonly root: string;
  readonly path: string;
  readonly source;
  readonly loose = {
    kind: 'Service',
    good: service('loose'),
    bad: { ...service('loose'), spec: { ports: 'eighty' } },
  } as const;

  private constructor(root: string, options: Partial<ManifestSourceOptions>) {
    this.root = root;
    this.path = join(root, 'cluster');
    this.source = createManifestSource({
      folder: this.path,
      clock: systemClock,
      log: silentLog,
      quietMs: 10,
      pollMs: 100,
      returnMs: 300,
      ...options,
    });
  }

  static async create(options: Partial<ManifestSourceOptions> = {}): Promise<TestFolder> {
    const folder = new TestFolder(await mkdtemp(join(tmpdir(), 'tideline-manifests-')), options);
    await mkdir(folder.path);
    return folder;
  }

  /** Writes a file in place, as `kubectl get -o yaml > FILE` would. */
  async write(file: string, content: string | readonly Manifest[]): Promise<void> {
    const path = join(this.path, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : yaml(content));
  }

  async delete(file: string): Promise<void> {
    await rm(join(this.path, file), { recursive: true });
  }

  async apply(...objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) await this.write(fileOf(object), [object]);
  }

  async remove(...objects: readonly Manifest[]): Promise<void> {
    for (const object of objects) await this.delete(fileOf(object));
  }

  async lose(): Promise<void> {
    await rename(this.path, join(this.root, 'elsewhere'));
  }

  async restore(): Promise<void> {
    await rename(join(this.root, 'elsewhere'), this.path);
  }

  async end(): Promise<void> {
    await this.source.stop();
    await rm(this.root, { recursive: true, force: true });
  }
}

export function yaml(objects: readonly Manifest[]): string {
  return objects.map((object) => `---\n${stringify(object)}`).join('');
}

function fileOf({ kind, metadata }: Manifest): string {
  return `${metadata.namespace ?? '_cluster'}/${kind.toLowerCase()}-${metadata.name}.yaml`;
}
