import type { AnyObject, Kind } from '../kinds.ts';
import { type ReadObject, readObject } from '../read-object.ts';

/**
 * Reads an object of the API as the state holds it: without its resourceVersion, which changes with every write of a status or
 * a managed field that we do not read. So a write that changes none of the fields that we read leaves an equal object, and
 * causes no work.
 */
export function readStored(kind: Kind, raw: Readonly<Record<string, unknown>>): ReadObject {
  const read = readObject(kind, raw);
  if (!read.ok || read.object.metadata.resourceVersion === undefined) return read;
  const { resourceVersion: _, ...metadata } = read.object.metadata;
  // Only the metadata differs; the compiler cannot follow kind and body through a spread.
  return { ...read, object: { ...read.object, metadata } as AnyObject };
}
