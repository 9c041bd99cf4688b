import type { DrainAnswers } from '../model/platform/drain-answers.ts';
import { withOverlays } from '../model/platform/overlays.ts';
import type { SpecDocument } from '../model/spec/document.ts';
import type { Drain, EdgePool } from '../model/spec/kinds.ts';
import type { Platform } from '../model/spec/platform.ts';
import { composePlatform } from './compose.ts';
import { keyOf, type SpecApi, type Verdict } from './spec-api.ts';

/** The platform spec wherever it is written, as a command that looks once has read it. */
export interface WholeSpec {
  readonly folder: readonly SpecDocument[];
  /** Of each cluster whose API was read. */
  readonly apis: readonly SpecApi[];
  /** The clusters whose API should be read and could not be, with the cause. */
  readonly unread: ReadonlyMap<string, string>;
}

export interface WholePlatform {
  /** Each object of an API as far as the agents of its cluster take it from there. */
  readonly platform: Platform;
  /** The keys of the drains that stand in APIs alone. */
  readonly fromApis: ReadonlySet<string>;
  /** How much DNS still leads to what a Drain takes out of service, by its key, as it stands in APIs. */
  readonly answers: ReadonlyMap<string, DrainAnswers>;
  /** What stands in an API and is not in force as it stands there. */
  readonly odd: readonly Verdict[];
  /** The objects that stand in the folder and in an API, and are equal. */
  readonly twice: readonly Verdict[];
  /** What could not be read, a clause each. */
  readonly unknown: readonly string[];
}

/** The platform that a spec means. Throws an InputError when the folder alone is not valid. */
export function wholeOf({ folder, apis, unread }: WholeSpec, nowMs: number): WholePlatform {
  const common = { folder, inForce: new Map(), nowMs };
  const { platform } = composePlatform({ ...common, apis: [] });
  const drains = new Map<string, Drain>(platform.drains);
  const edgePools = new Map<string, EdgePool>(platform.edgePools);
  const answers = new Map<string, DrainAnswers>();
  const odd: Verdict[] = [];
  const twice: Verdict[] = [];
  const inFolder = new Set(folder.map(keyOf));
  // Each by itself, as the agents of its cluster take it: two clusters may use the same name.
  for (const api of apis) {
    const composed = composePlatform({ ...common, apis: [api], here: api.cluster });
    for (const [name, pool] of composed.platform.edgePools) edgePools.set(name, pool);
    for (const [name, drain] of composed.platform.drains) {
      const isHere = platform.drains.has(name);
      const key = !isHere && drains.has(name) ? `${name} (${api.cluster})` : name;
      if (!isHere) drains.set(key, drain);
      const said = api.answers?.get(name);
      if (said !== undefined) answers.set(key, said);
    }
    for (const verdict of composed.verdicts)
      if (verdict.reason !== 'InForce') odd.push(verdict);
      else if (inFolder.has(`${verdict.kind}/${verdict.name}`)) twice.push(verdict);
  }
  const unknown = [...unread].map(([cluster, why]) => `what stands in the API of cluster ${cluster} (${why})`);
  const fromApis = new Set([...drains.keys()].filter((key) => !platform.drains.has(key)));
  return { platform: withOverlays({ ...platform, drains, edgePools }, nowMs), fromApis, answers, odd, twice, unknown };
}

/** What is not known, or not in force as it stands in an API, a line each. */
export function remarksOf({ odd, unknown }: WholePlatform): readonly string[] {
  return [...unknown.map((text) => `not known: ${text}`), ...odd.map(oddText)];
}

export function oddText({ place, kind, name, state, reason, message }: Verdict): string {
  return `${place}: ${kind}/${name} ${state}: ${message} (${reason})`;
}
