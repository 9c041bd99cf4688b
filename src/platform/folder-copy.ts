import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SpecDocument } from '../model/spec/document.ts';
import { messageOf } from '../model/values.ts';
import { readBounded } from '../runtime/bounded-file.ts';
import { replaceFile } from '../runtime/kept-file.ts';
import type { Log } from '../runtime/log.ts';

/** What a document says, without its lines. */
interface Kept {
  readonly file: string;
  readonly folder: string;
  readonly value: unknown;
}

interface Content {
  readonly path: string;
  readonly documents: readonly Kept[];
}

/** Where the last good documents of a folder outlive the agent, for one that starts on a folder that it cannot read. */
export interface FolderCopy {
  /** Undefined when there are none of this folder that can be read. Never rejects. */
  read(path: string): Promise<readonly SpecDocument[] | undefined>;
  /** Writes them if they are others than before. Never rejects. */
  write(path: string, documents: readonly SpecDocument[]): Promise<void>;
}

/** More than the loader takes from a folder of the largest size that makes sense. */
const fileBytes = 64 << 20;

/** The last good documents in this file. */
export function folderCopy(file: string, log: Log): FolderCopy {
  let written: Content | undefined;
  let writing: Promise<void> = Promise.resolve();
  const put = async (content: Content): Promise<void> => {
    if (isDeepStrictEqual(content, written)) return;
    try {
      await mkdir(dirname(file), { recursive: true });
      await replaceFile(file, JSON.stringify(content));
      written = content;
    } catch (error) {
      log.warn({ file, error: messageOf(error) }, 'the platform was not written to disk; it is at its next change');
    }
  };
  return {
    async read(path) {
      try {
        const found = JSON.parse((await readBounded(file, fileBytes)).toString('utf8')) as Content;
        if (found.path !== path) return undefined;
        return found.documents.map((kept) => ({ ...kept, broken: false, lineOf: () => 1 }));
      } catch (error) {
        log.debug({ file, error: messageOf(error) }, 'there is no last good platform on disk');
        return undefined;
      }
    },
    write(path, documents) {
      const content = {
        path,
        documents: documents.map(({ file: name, folder, value }) => ({ file: name, folder, value })),
      };
      // One after the other: two would use the same temporary file.
      writing = writing.then(() => put(content));
      return writing;
    },
  };
}
