import { join, resolve } from 'node:path';
import type { Platform } from '../../model/spec/platform.ts';
import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';
import type { SignDocument } from '../../planes/fleet/folder.ts';

/** The files that `tideline` brings. */
const deploy = resolve(import.meta.dirname, '..', '..', '..', 'deploy');
const agentUnits = [
  'tideline-blade.target',
  'tideline-edge-agent.service',
  'tideline-exabgp-render.service',
  'tideline-exabgp.service',
  'tideline-network-agent.service',
  'tideline-nginx-render.service',
  'tideline-nginx.service',
  'tideline-worker.target',
];

/** The fleets of the platform spec in these files and folders. Throws an InputError when there is none. */
export async function compilePaths(paths: readonly string[]): Promise<CompiledFleet> {
  return await compiledWith(paths, (platform) => platform);
}

/** The fleets of the platform spec as it would be after a change that nobody has written down. */
export async function compiledWith(
  paths: readonly string[],
  change: (platform: Platform) => Platform,
): Promise<CompiledFleet> {
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { wholeFleet } = await import('../../planes/fleet/whole.ts');
  const { shippedObjects } = await import('./shipped-objects.ts');
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const platform = change(await loadPlatformOrThrow(paths));
  const texts = agentUnits.map(async (name) => {
    const file = join(deploy, 'systemd', name);
    return [name, (await readBounded(file, 65_536)).toString()] as const;
  });
  const units = Object.fromEntries(await Promise.all(texts));
  return wholeFleet(platform, { units, objects: await shippedObjects(deploy) }, paths.join(' '));
}

/** The same with the certificates that `tideline fleet sign` wrote into the folder of documents. */
export async function compileInto(folder: string, paths: readonly string[]): Promise<CompiledFleet> {
  const { readSigned } = await import('../../planes/fleet/pki/folder.ts');
  const { withCertificates } = await import('../../planes/fleet/pki/merge.ts');
  const [compiled, signed] = await Promise.all([compilePaths(paths), readSigned(folder)]);
  const documents = [...compiled.documents].map(([id, document]) => [id, withCertificates(document, signed)] as const);
  return { ...compiled, documents: new Map(documents) };
}

/** What signs documents, where a person named a key. */
export async function signerOf(file: string | undefined): Promise<SignDocument | undefined> {
  if (file === undefined) return undefined;
  const { documentSigner } = await import('../../planes/fleet/pki/operator-key.ts');
  return await documentSigner(file);
}
