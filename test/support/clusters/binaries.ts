import { findBinaries } from '../../../lab/control-plane/binaries.ts';

/** The folder of the programs of a control plane; rejects with what to run when they are not built. */
export async function binaries(): Promise<string> {
  const { folder } = await findBinaries(process.env);
  return folder;
}
