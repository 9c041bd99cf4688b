import type { Limits } from '../dialect.ts';

/**
 * PowerDNS documents few limits; decision 99 says how these were found, and in which release.
 * - A value longer than 65,535 bytes ends the server (LMDB, 4.7); a MySQL backend keeps 64,000 characters.
 * - The HTTP API takes 2 MiB a request (`webserver-max-bodysize`). A name of 253 characters and its frame in JSON take 400 bytes at
 *   most, so that these numbers of elements and characters together stay below that.
 * - Values of one record set are rows of a table. Those of the generation record are few.
 */
export const powerDnsLimits: Limits = {
  recordsPerName: 1,
  levels: 1,
  values: 1000,
  valueCharacters: 60_000,
  batch: { elements: 2500, characters: 1_000_000, deletions: 'free' },
};
