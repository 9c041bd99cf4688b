import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** A program that waits, and the two files that it is linked to; the keys are their places in the image. */
const content = {
  'bin/sleep': 'usr/bin/sleep',
  'lib/x86_64-linux-gnu/libc.so.6': 'usr/lib/x86_64-linux-gnu/libc.so.6',
  'lib64/ld-linux-x86-64.so.2': 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
};

/** Writes an image that waits as an OCI archive, which `ctr images import` reads: no registry is needed. `root` has the programs. */
export async function writeSleepingImage(file: string, name: string, root: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-image-'));
  try {
    const layout = join(folder, 'layout');
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    const layer = await addBlob(layout, await layerOf(folder, root));
    const config = await addBlob(layout, {
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/bin/sleep', 'infinity'] },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    });
    const manifest = await addBlob(layout, {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
    });
    const annotations = { 'io.containerd.image.name': name };
    const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, annotations };
    await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await run('tar', ['-C', layout, '-cf', file, '.']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function layerOf(folder: string, root: string): Promise<Buffer> {
  const files = join(folder, 'files');
  for (const [place, source] of Object.entries(content)) {
    await mkdir(dirname(join(files, place)), { recursive: true });
    await copyFile(join(root, source), join(files, place));
  }
  await run('tar', ['-C', files, '-cf', join(folder, 'layer.tar'), '.']);
  return await readFile(join(folder, 'layer.tar'));
}

async function addBlob(
  layout: string,
  blob: Buffer | object,
): Promise<{ readonly digest: string; readonly size: number }> {
  const bytes = Buffer.isBuffer(blob) ? blob : Buffer.from(JSON.stringify(blob));
  const hash = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(layout, 'blobs/sha256', hash), bytes);
  return { digest: `sha256:${hash}`, size: bytes.length };
}
