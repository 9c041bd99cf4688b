import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const libraries = 'usr/lib/x86_64-linux-gnu';

/** What is in an image, and what it runs. */
export interface ImageContent {
  /** Place in the image → file of the root filesystem. */
  readonly files: Readonly<Record<string, string>>;
  readonly texts?: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/** The libraries that a program is linked to, in the places where it looks for them. */
const linked = (...names: readonly string[]): ImageContent['files'] => ({
  'lib64/ld-linux-x86-64.so.2': `${libraries}/ld-linux-x86-64.so.2`,
  ...Object.fromEntries(
    ['libc.so.6', ...names].map((name) => [`lib/x86_64-linux-gnu/${name}`, `${libraries}/${name}`]),
  ),
});

/** A program that waits. */
export const sleeping: ImageContent = {
  files: { 'bin/sleep': 'usr/bin/sleep', ...linked() },
  command: ['/bin/sleep', 'infinity'],
};

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((use) => `${use}_temp_path /tmp/${use};`);

/** An nginx that answers any request on port 80 with the name of its pod. */
export const serving: ImageContent = {
  files: {
    'usr/sbin/nginx': 'usr/sbin/nginx',
    ...linked('libcrypt.so.1', 'libpcre2-8.so.0', 'libssl.so.3', 'libcrypto.so.3', 'libz.so.1'),
  },
  texts: {
    'etc/passwd': 'root:x:0:0:root:/:/bin/false\n',
    'etc/group': 'root:x:0:\n',
    'tmp/empty': '',
    'etc/nginx.conf': `daemon off;
user root;
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.join(' ')}
  server {
    listen 80;
    default_type text/plain;
    return 200 "$hostname\\n";
  }
}
`,
  },
  command: ['/usr/sbin/nginx', '-e', 'stderr', '-c', '/etc/nginx.conf'],
};

/** Writes an image as an OCI archive, which `ctr images import` reads: no registry is needed. `root` is a root filesystem with the programs. */
export async function writeImage(file: string, name: string, root: string, content: ImageContent): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-image-'));
  try {
    const layout = join(folder, 'layout');
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    const layer = await addBlob(layout, await layerOf(folder, root, content));
    const config = await addBlob(layout, {
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: content.command },
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

async function layerOf(folder: string, root: string, content: ImageContent): Promise<Buffer> {
  const files = join(folder, 'files');
  for (const place of [...Object.keys(content.files), ...Object.keys(content.texts ?? {})])
    await mkdir(dirname(join(files, place)), { recursive: true });
  for (const [place, source] of Object.entries(content.files)) await copyFile(join(root, source), join(files, place));
  for (const [place, text] of Object.entries(content.texts ?? {})) await writeFile(join(files, place), text);
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
