import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type JournalEvent, RunJournal, readRuns, runId } from './journal.ts';

const planned: JournalEvent = {
  what: 'planned',
  run: { format: 1, command: 'apply', checksum: '0123456789abcdef', waves: [], warnings: [] },
  documents: 'sum',
  by: 'ann',
};

it('tells the first step without an end, also when a step before it has two', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-journal-'));
  try {
    const journal = await RunJournal.open(folder, runId('0123456789abcdef', 0), () => 0);
    await journal.append(planned);
    for (const [what, step] of [
      ['begun', 0],
      ['ended', 0],
      ['begun', 0],
      ['ended', 0],
      ['begun', 1],
    ] as const)
      await journal.append({ what, step });
    await journal.close();
    expect(await readRuns(folder)).toMatchObject([{ done: 1, state: 'unfinished' }]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
