import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Why a file is not read: it is no regular file (a FIFO, a device, a socket, a folder), or has too many bytes. */
export class UnreadableFile extends Error {
  readonly reason: 'NotAFile' | 'FileTooLarge';
  constructor(reason: 'NotAFile' | 'FileTooLarge', message: string) {
    super(message);
    this.name = 'UnreadableFile';
    this.reason = reason;
  }
}

/**
 * The bytes that a regular file has when it is opened; what is appended meanwhile is left out. A FIFO without a writer would hold a thread
 * for ever, and `/dev/zero` never ends: such files are not read. Rejects with UnreadableFile, or with the system's error.
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new UnreadableFile('NotAFile', 'is no regular file');
    if (found.size > maxBytes)
      throw new UnreadableFile('FileTooLarge', `has ${found.size} bytes, and at most ${maxBytes} are read`);
    return await readUpTo(handle, found.size);
  } finally {
    await handle.close();
  }
}

async function readUpTo(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
