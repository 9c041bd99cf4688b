import { createHash } from 'node:crypto';
import type { Platform } from '../model/spec/platform.ts';

/**
 * A digest of what a platform spec says: the first 12 hex digits of SHA-256 over its objects, whatever the order, files and comments
 * in which they were written. Two agents with the same digest obey the same spec.
 */
export function platformDigest({ sites, clusters, edgePools, policies, drains }: Platform): string {
  const objects = [sites, clusters, edgePools, policies, drains].map((byName) => Object.fromEntries(byName));
  return createHash('sha256').update(JSON.stringify(objects, sorted)).digest('hex').slice(0, 12);
}

/** Writes the fields of each object in the order of their names, and numbers of any size. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
