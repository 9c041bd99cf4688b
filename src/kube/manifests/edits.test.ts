import fc from 'fast-check';
import { expect, it } from 'vitest';
import { node, service } from '../../../test/support/source/conformance.ts';
import { TestFolder } from '../../../test/support/source/folder.ts';
import { record } from '../../../test/support/source/recorder.ts';
import { deepEqual } from '../objects/equal.ts';

const files = ['a.yaml', 'b.yaml', 'sub/c.yaml'];
/** The objects of one file. Each object is in one file only, so that the files on disk leave no doubt which objects are meant. */
const objectsOf = (file: string, numbers: readonly number[], port: number) => [
  service(`${file.replace(/\W/g, '-')}-always`, port),
  ...numbers.map((number) => service(`${file.replace(/\W/g, '-')}-${number}`, port)),
];

const edit = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      file: fc.constantFrom(...files),
      numbers: fc.uniqueArray(fc.nat(5)),
      port: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('garble' as const), file: fc.constantFrom(...files) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lose' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat(40) }) },
);

it('after any sequence of edits and losses equals what is on disk, having removed nothing it lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 12 }), async (edits) => {
      const folder = await TestFolder.create({ pollMs: 40, returnMs: 60 });
      try {
        const onDisk = new Map(files.map((file) => [file, objectsOf(file, [0], 1)]));
        for (const [file, objects] of onDisk) await folder.write(file, objects);
        await folder.write('nodes.yaml', [node('n')]);
        const seen = record(folder.source);
        await seen.live();
        for (const step of edits) {
          if (step.kind === 'write') onDisk.set(step.file, objectsOf(step.file, step.numbers, step.port));
          if (step.kind === 'write') await folder.write(step.file, onDisk.get(step.file) ?? []);
          if (step.kind === 'garble') await folder.write(step.file, '\tgarbage: [');
          if (step.kind === 'pause') await new Promise((resolve) => setTimeout(resolve, step.ms));
          if (step.kind === 'lose') {
            await folder.lose();
            await folder.restore();
          }
        }
        for (const [file, objects] of onDisk) await folder.write(file, objects);
        const wanted = new Map(
          [...onDisk.values()].flat().map(({ metadata, spec }) => [`video/${metadata.name}`, spec]),
        );
        const got = () =>
          new Map([...(seen.state?.objects.Service.entries() ?? [])].map(([key, { spec }]) => [key, spec]));
        await seen.until('live and equal', () => {
          if (seen.status?.phase === 'stale' && seen.status.reason === 'SourceImplausible') {
            const fingerprint = /write (\w{12}) into/.exec(seen.status.message)?.[1];
            if (fingerprint !== undefined) void folder.write('.tideline-accept', fingerprint);
          }
          return seen.status?.phase === 'live' && deepEqual(Object.fromEntries(got()), Object.fromEntries(wanted));
        });
        expect(got()).toEqual(wanted);
        for (const { state } of seen.changes)
          for (const file of files)
            expect(state.objects.Service.has(`video/${file.replace(/\W/g, '-')}-always`)).toBe(true);
        expect(seen.keys('Node')).toEqual(['n']);
      } finally {
        await folder.end();
      }
    }),
    { numRuns: 25 },
  );
});
