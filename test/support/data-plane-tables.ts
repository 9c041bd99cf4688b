import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The tables of `test/golden/data-plane` list what the compile step and the data plane accept. */

const folder = join(import.meta.dirname, '..', 'golden', 'data-plane');

/** The rows of a table as columns. A text in quotes is JSON. */
function rowsOf(file: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const [, text = '', rest = ''] = /^("(?:[^"\\]|\\.)*"|\S+) {2,}(.*)$/.exec(line) ?? [];
    if (text === '') throw new Error(`${file}: not a row: ${line}`);
    rows.push([text.startsWith('"') ? String(JSON.parse(text)) : text, ...rest.split(/ {2,}/)]);
  }
  return rows;
}

export interface EndpointRow {
  readonly address: string;
  readonly verdict: 'accepted' | 'EndpointAddressForbidden' | 'EndpointAddressInvalid';
  readonly why: string;
}

export function endpointRows(): readonly EndpointRow[] {
  return rowsOf('endpoints.txt').map(([address = '', verdict = '', why = '']) => {
    if (verdict !== 'accepted' && verdict !== 'EndpointAddressForbidden' && verdict !== 'EndpointAddressInvalid')
      throw new Error(`endpoints.txt: ${verdict} is no verdict`);
    return { address, verdict, why };
  });
}

export interface TextRow {
  readonly text: string;
  /** Whether the compile step accepts the text; `dataPlane` says the same of the data plane. */
  readonly compile: boolean;
  readonly dataPlane: boolean;
  readonly why: string;
}

export function textRows(file: 'hosts.txt' | 'paths.txt'): readonly TextRow[] {
  return rowsOf(file).map(([text = '', compile, dataPlane, why = '']) => ({
    text,
    compile: isAccepted(compile),
    dataPlane: isAccepted(dataPlane),
    why,
  }));
}

function isAccepted(verdict: string | undefined): boolean {
  if (verdict !== 'accepted' && verdict !== 'refused') throw new Error(`${verdict} is no verdict`);
  return verdict === 'accepted';
}
