import { SteeringError } from '../reasons.ts';

/** The text of an answer, of which no more than `maxBytes` are read. Throws AnswerTooLarge. */
export async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop ends the stream, and with it the connection.
    if (bytes > maxBytes)
      throw new SteeringError('AnswerTooLarge', `the provider answers with more than ${maxBytes >> 20} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** How many elements of XML lie in each other at most; found without parsing, so that a parser can be spared the text. */
export function xmlDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [, end, alone] of text.matchAll(/<(\/?)[A-Za-z_:][^<>]*?(\/?)>/g)) {
    if (end === '/') depth -= 1;
    else {
      deepest = Math.max(deepest, depth + 1);
      if (alone !== '/') depth += 1;
    }
  }
  return deepest;
}
