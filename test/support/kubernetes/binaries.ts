import { findBinaries } from '../../../src/lab/kubernetes/binaries.ts';

/** The folder of the programs of a control plane. */
export async function binaries(): Promise<string> {
  const found = await findBinaries(process.env).catch(() => ({ folder: '/tmp/k/bin' }));
  return found.folder;
}
