import { maxLevels } from '../../../../answers/interpreter.ts';
import type { Limits } from '../dialect.ts';

/** Quotas from Route 53's documentation. */
export const route53Limits = {
  recordsPerName: 100,
  levels: maxLevels,
  values: 400,
  valueCharacters: 4000,
  batch: { elements: 1000, characters: 32_000, deletions: 'counted' },
  /** Greatest weight of one record of a weighted group. */
  weight: 255,
} as const satisfies Limits & { readonly weight: number };
