import { findBinaries } from '../../../lab/control-plane/binaries.ts';

/** The folder of the programs of a control plane. When they are not built, it rejects with the command that builds them. */
export async function binaries(): Promise<string> {
  const { folder } = await findBinaries(process.env);
  return folder;
}
