import { ApiError } from './client.ts';

/** The limits for one item of a list and for what is around the items; an object has at most 1.5 MiB in etcd, and escapes in JSON. */
export const listBounds = { item: 16 << 20, rest: 1 << 20 } as const;

const [quote, backslash, opening, closing, openingList, closingList] = [34, 92, 123, 125, 91, 93];
const between = new Set(Buffer.from(' \t\r\n,'));
const itemsKey = /"items"\s*:\s*$/;
/** Longer than what `itemsKey` matches in an answer of an apiserver. */
const keyLength = 64;

/**
 * Cuts a list in JSON, as it comes in, into its items and the rest, which is the list with no items. So the memory that a page takes
 * is that of its largest item, however much tenants have written. Nothing is parsed here: an item runs to the brace that ends it.
 */
export class ListCutter {
  readonly #bounds: { readonly item: number; readonly rest: number };
  #rest: Buffer[] = [];
  #restBytes = 0;
  #item: Buffer[] = [];
  #itemBytes = 0;
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** True between the brackets of the list of items. */
  #inItems = false;

  constructor(bounds: { readonly item: number; readonly rest: number } = listBounds) {
    this.#bounds = bounds;
  }

  /** Takes the next piece, and returns the items that end in it. Throws ApiError `BadAnswer`. */
  take(chunk: Buffer): readonly string[] {
    const items: string[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (this.#inText) {
        at = this.#endOfText(chunk, at);
        continue;
      }
      const byte = chunk[at];
      if (byte === quote) this.#inText = true;
      else if (byte === opening || byte === openingList) {
        const begins = this.#open(chunk.subarray(from, at), byte);
        if (begins) from = byte === opening ? at : at + 1;
      } else if (byte === closing || byte === closingList) {
        const ended = this.#close(chunk.subarray(from, at + 1), byte);
        if (ended !== undefined) {
          if (ended !== '') items.push(ended);
          from = ended === '' ? at : at + 1;
        }
      }
    }
    this.#put(chunk.subarray(from));
    return items;
  }

  /** The list without its items, once all pieces were taken. */
  get rest(): string {
    return Buffer.concat(this.#rest).toString('utf8');
  }

  /** Where the text ends that goes on at `from`: the place of its quote, or the end of the piece. */
  #endOfText(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let at = this.#escaped ? from + 1 : from;
    for (; at < length; at += 1) {
      const byte = chunk[at];
      if (byte === quote) break;
      if (byte === backslash) at += 1;
    }
    this.#escaped = at > length;
    this.#inText = at >= length;
    return at;
  }

  /** Notes an opening bracket after `before`; true when the list of items or an item begins with it. */
  #open(before: Buffer, byte: number): boolean {
    const depth = this.#depth;
    const begins = this.#inItems ? depth === 2 : depth === 1 && byte === openingList && this.#isItemsKey(before);
    if (this.#inItems && begins && byte !== opening) throw badAnswer('something else than objects in its list');
    if (begins) this.#put(before);
    if (begins && !this.#inItems) {
      this.#put(Buffer.from('['));
      this.#inItems = true;
    }
    this.#depth += 1;
    return begins;
  }

  /** Notes the closing bracket at the end of a piece: the item that ends with it, `` when the list of items does, or undefined. */
  #close(piece: Buffer, byte: number): string | undefined {
    const depth = this.#depth;
    this.#depth -= 1;
    if (!this.#inItems || depth > 3) return undefined;
    if (depth === 2) {
      if (byte !== closingList) throw badAnswer('something else than objects in its list');
      this.#skip(piece.subarray(0, -1));
      this.#inItems = false;
      return '';
    }
    this.#keep(piece);
    const item = Buffer.concat(this.#item, this.#itemBytes).toString('utf8');
    this.#item = [];
    this.#itemBytes = 0;
    return item;
  }

  #isItemsKey(before: Buffer): boolean {
    const known = Buffer.concat(this.#rest.slice(-keyLength)).subarray(-keyLength);
    return itemsKey.test(Buffer.concat([known, before.subarray(-keyLength)]).toString('latin1'));
  }

  /** Takes bytes for what they are where the list is read now. */
  #put(piece: Buffer): void {
    if (piece.length === 0) return;
    if (this.#inItems && this.#depth === 2) this.#skip(piece);
    else if (this.#inItems) this.#keep(piece);
    else {
      this.#restBytes += piece.length;
      if (this.#restBytes > this.#bounds.rest) throw badAnswer(`more than ${this.#bounds.rest} bytes beside its items`);
      this.#rest.push(piece);
    }
  }

  #keep(piece: Buffer): void {
    this.#itemBytes += piece.length;
    if (this.#itemBytes > this.#bounds.item) throw badAnswer(`an item of more than ${this.#bounds.item} bytes`);
    this.#item.push(piece);
  }

  /** What stands between two items must be nothing but commas and white space. */
  #skip(piece: Buffer): void {
    if (!piece.every((byte) => between.has(byte))) throw badAnswer('something else than objects in its list');
  }
}

function badAnswer(what: string): ApiError {
  return new ApiError(0, 'BadAnswer', `the answer has ${what}`);
}
