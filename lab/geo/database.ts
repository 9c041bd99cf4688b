/**
 * Rewrites an IP-to-country database whose records are `{country_code: "FR"}` (ip-location-db's layout) into the layout of
 * GeoIP2-Country, `{country: {iso_code: "FR"}, continent: {code: "EU"}}`, the only one that PowerDNS's geoip backend can
 * read. The search tree keeps its shape, so every address keeps its country. Format: MaxMind DB 2.0, records of 24 bits.
 */
export function toGeoIpCountryLayout(database: Buffer, continentOf: (country: string) => string | undefined): Buffer {
  const marker = database.lastIndexOf(metadataMarker);
  if (marker < 0) throw new Error('not a MaxMind DB file: it has no metadata');
  const { nodeCount, recordSize } = readMetadata(database, marker + metadataMarker.length);
  if (recordSize !== 24) throw new Error(`records of ${recordSize} bits are not supported, only of 24`);
  const treeSize = nodeCount * 6;
  const tree = Buffer.from(database.subarray(0, treeSize));
  const oldData = database.subarray(treeSize + separatorSize, marker);
  const written = new Map<number, number>();
  const newData: Buffer[] = [];
  let newSize = 0;
  for (let position = 0; position < treeSize; position += 3) {
    const value = tree.readUIntBE(position, 3);
    if (value <= nodeCount) continue;
    const oldOffset = value - nodeCount - separatorSize;
    let newOffset = written.get(oldOffset);
    if (newOffset === undefined) {
      const record = encodeRecord(readCountryCode(oldData, oldOffset), continentOf);
      newOffset = newSize;
      written.set(oldOffset, newOffset);
      newData.push(record);
      newSize += record.length;
    }
    tree.writeUIntBE(newOffset + nodeCount + separatorSize, position, 3);
  }
  return Buffer.concat([tree, Buffer.alloc(separatorSize), ...newData, database.subarray(marker)]);
}

const metadataMarker = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const separatorSize = 16;
const typePointer = 1;
const typeString = 2;
const typeMap = 7;

function encodeRecord(country: string, continentOf: (country: string) => string | undefined): Buffer {
  const parts = [text('country'), map(1), text('iso_code'), text(country)];
  const continent = continentOf(country);
  if (continent !== undefined) parts.push(text('continent'), map(1), text('code'), text(continent));
  return Buffer.concat([map(continent === undefined ? 1 : 2), ...parts]);
}

function map(pairs: number): Buffer {
  return Buffer.from([(typeMap << 5) | pairs]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length > 28) throw new Error(`"${value}" is longer than 28 bytes`);
  return Buffer.concat([Buffer.from([(typeString << 5) | bytes.length]), bytes]);
}

function readCountryCode(data: Buffer, offset: number): string {
  if (data.readUInt8(offset) !== ((typeMap << 5) | 1)) throw new Error('a record is not a map of one field');
  const key = readText(data, offset + 1);
  if (key.value !== 'country_code') throw new Error(`a record has the field "${key.value}", not country_code`);
  return readText(data, key.next).value;
}

/** Reads a string, or the string to which a pointer leads; `next` is the offset after the string or the pointer. */
function readText(data: Buffer, offset: number): { readonly value: string; readonly next: number } {
  const control = data.readUInt8(offset);
  const type = control >> 5;
  if (type === typePointer) {
    const size = (control >> 3) & 3;
    const bits = control & 7;
    const base = [0, 2048, 526_336, 0][size] ?? 0;
    const high = size === 3 ? 0 : bits * 256 ** (size + 1);
    const target = base + high + data.readUIntBE(offset + 1, size + 1);
    return { value: readText(data, target).value, next: offset + size + 2 };
  }
  const length = control & 0x1f;
  if (type !== typeString || length > 28) throw new Error(`a short string was expected at offset ${offset}`);
  const start = offset + 1;
  return { value: data.toString('utf8', start, start + length), next: start + length };
}

function readMetadata(database: Buffer, start: number): { readonly nodeCount: number; readonly recordSize: number } {
  return {
    nodeCount: readNumber(database, start, 'node_count'),
    recordSize: readNumber(database, start, 'record_size'),
  };
}

/** Reads the unsigned integer after a metadata key; the low five bits of its control byte are its length in bytes. */
function readNumber(database: Buffer, start: number, key: string): number {
  const at = database.indexOf(text(key), start);
  if (at < 0) throw new Error(`the metadata lacks ${key}`);
  const control = at + key.length + 1;
  const length = database.readUInt8(control) & 0x1f;
  return length === 0 ? 0 : database.readUIntBE(control + 1, length);
}
