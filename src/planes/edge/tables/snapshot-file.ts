import { readSnapshot, writeSnapshot } from '../../../kube/snapshot.ts';
import type { Log } from '../../../runtime/log.ts';
import type { EdgeReason } from '../reasons.ts';
import type { SnapshotFile } from './snapshot.ts';

/** The last good state of a cluster in this file. A file that is missing or cannot be read is logged, and no state. */
export function snapshotFile(file: string, log: Log): SnapshotFile {
  return {
    async read() {
      const read = await readSnapshot(file);
      if (read.ok) return read.state;
      const reason: EdgeReason = read.reason === 'SourceMissing' ? 'SnapshotMissing' : 'SnapshotUnreadable';
      log.warn({ reason, file, problem: read.message }, 'no snapshot to serve');
      return undefined;
    },
    write: (state) => writeSnapshot(file, state),
  };
}
