import { zoneMiB } from '../table.ts';

/**
 * How much of nginx's shared memory an entry takes, and how much there is: nginx evicts nothing, so a table that does not fit is
 * refused as a whole, and with it the changes of every tenant. The compile step therefore never makes one.
 */

/** What the allocator of nginx (ngx_slab_alloc) gives for so many bytes: a power of two, or whole pages above half a page. */
function allocated(bytes: number): number {
  if (bytes > 2048) return Math.ceil(bytes / 4096) * 4096;
  return bytes <= 8 ? 8 : 2 ** Math.ceil(Math.log2(bytes));
}

/** Bytes of an entry of a lua_shared_dict beside its key and its value, rounded up. */
const nodeBytes = 96;
/** The length of the pointer that stands beside each value (`lua/store.lua`), and of what its key adds to the name. */
const pointerBytes = 50 + 1;
const versionBytes = 18;

/** The bytes of shared memory for an entry: while everything is pushed anew, its value is there twice. */
export function entryBytes(nameLength: number, valueLength: number): number {
  const value = allocated(nodeBytes + versionBytes + nameLength + valueLength);
  return allocated(nodeBytes + pointerBytes + nameLength) + 2 * value;
}

/** The part of a zone that entries may fill: free pages may lie apart where an entry needs several in a row. */
const usable = 0.85;

/** The bytes of each zone that the entries of a table may take. */
export const capacity: Readonly<Record<keyof typeof zoneMiB, number>> = {
  hosts: zoneMiB.hosts * 1024 * 1024 * usable,
  backends: zoneMiB.backends * 1024 * 1024 * usable,
  certificates: zoneMiB.certificates * 1024 * 1024 * usable,
};

/** A path and its backend in the JSON that `lua/validate.lua` stores: `["anyCasePrefix",<path>,<backend>,<settings>],`. */
export function pathBytes(path: string, backend: string): number {
  return storedBytes(path) + storedBytes(backend) + 28;
}

/** The bytes of a text in the JSON that lua-cjson writes: UTF-8, in which it escapes slashes beside what JSON asks for. */
export function storedBytes(text: string): number {
  let bytes = 2;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2f || code === 0x22 || code === 0x5c) bytes += 2;
    else if (code < 0x20 || code === 0x7f) bytes += 6;
    else bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
  }
  return bytes;
}

/** The bytes of shared memory for a pair that is so long in PEM; its id is a hash of 32 characters. */
export function pairBytes(length: number): number {
  // Line ends and slashes, some three in a hundred characters, are escaped.
  return entryBytes(32, Math.ceil(length * 1.1) + 64);
}

/** An endpoint is stored as its address and port. */
export function backendBytes(endpoints: readonly { readonly address: string }[]): number {
  return endpoints.reduce((sum, { address }) => sum + address.length + 8, 16);
}
