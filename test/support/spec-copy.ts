import type { OwnObject } from '../../src/kube/objects/own.ts';
import { writeSnapshot } from '../../src/kube/snapshot.ts';
import { type ObjectsByKind, stateOf } from '../../src/kube/state.ts';
import { type ApiKindName, apiKindNames } from '../../src/model/spec/kinds.ts';
import { readPaths } from '../../src/platform/files.ts';

/** Writes the spec of a folder as an agent keeps what the API of its cluster said last. */
export async function keepSpecOf(folder: string, file: string): Promise<void> {
  const { documents } = await readPaths([folder]);
  const objects = documents.map(({ value }) => value as OwnObject<ApiKindName>);
  const byKind = new Map(
    apiKindNames.map((kind) => [
      kind,
      new Map(objects.filter((one) => one.kind === kind).map((one) => [one.metadata.name, one])),
    ]),
  ) as unknown as ObjectsByKind;
  await writeSnapshot(file, stateOf(0, byKind));
}
