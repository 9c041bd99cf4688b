import { ApiError } from '../api/client.ts';

/** The limit for a line. It is larger than any object that etcd takes (1.5 MiB), with room for its escapes in JSON. */
export const maxLineBytes = 16 << 20;

const newline = 10;

/**
 * The lines of a stream, as text. A last line without a newline is dropped. Reads no more of the stream than the consumer asks
 * for. Throws ApiError `BadAnswer` for a line of more than `maxBytes`.
 */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
  maxBytes = maxLineBytes,
): AsyncGenerator<string, void, undefined> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      rest.push(chunk.subarray(from, at));
      const line = rest.length === 1 ? (rest[0] ?? chunk) : Buffer.concat(rest);
      rest = [];
      restBytes = 0;
      from = at + 1;
      if (line.length > 0) yield line.toString('utf8');
    }
    if (from === chunk.length) continue;
    rest.push(chunk.subarray(from));
    restBytes += chunk.length - from;
    if (restBytes > maxBytes) throw new ApiError(0, 'BadAnswer', `a line of more than ${maxBytes} bytes`);
  }
}
