import type { z } from 'zod';
import type { Problem } from '../problem.ts';
import { pathText, type SpecDocument, valueAt } from './document.ts';
import { Cluster, Drain, EdgePool, Site, TrafficPolicy } from './kinds.ts';
import type { Platform } from './platform.ts';

export interface Built {
  /** Holds what is valid; whole only when `problems` is empty. */
  readonly platform: Platform;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Validates documents and puts them together. */
export function buildPlatform(documents: readonly SpecDocument[], _nowMs: number): Built {
  const problems: Problem[] = [];
  const folders = new Map<string, string>();
  function all<S extends z.ZodType<{ readonly metadata: { readonly name: string } }>>(kind: string, schema: S) {
    const map = new Map<string, z.infer<S>>();
    for (const document of documents) {
      if (valueAt(document.value, ['kind']) !== kind) continue;
      const result = schema.safeParse(document.value);
      if (result.success) {
        map.set(result.data.metadata.name, result.data);
        if (kind === 'Cluster') folders.set(result.data.metadata.name, document.folder);
        continue;
      }
      for (const issue of result.error.issues) {
        const path = issue.path.filter((part) => typeof part !== 'symbol');
        problems.push({
          reason: 'WrongValue',
          file: document.file,
          line: document.lineOf(path),
          path: pathText(path),
          message: issue.message,
        });
      }
    }
    return map;
  }
  const platform: Platform = {
    sites: all('Site', Site),
    clusters: all('Cluster', Cluster),
    edgePools: all('EdgePool', EdgePool),
    policies: all('TrafficPolicy', TrafficPolicy),
    drains: all('Drain', Drain),
    folderOf: (name) => folders.get(name) ?? '.',
  };
  return { platform, problems, warnings: [] };
}
