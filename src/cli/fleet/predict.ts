import { type Applied, ofSilent, type Reach } from '../../planes/fleet/run/reach.ts';
import { few } from './few.ts';

/** What Salt itself says that the documents would change, by server. */
export type Prediction = ReadonlyMap<string, Applied>;

export async function predict(servers: readonly string[], reach: Reach): Promise<Prediction> {
  if (servers.length === 0) return new Map();
  return await reach.apply(servers, { test: true, signal: new AbortController().signal });
}

/** Servers alike share a line; states are named where there are few. */
export function predictionLines(predicted: Prediction): readonly string[] {
  const alike = Map.groupBy([...predicted], ([, applied]) => wordsOf(applied));
  return ['asked the servers:', ...[...alike].map(([words, some]) => `  ${words}: ${few(some.map(([id]) => id))}`)];
}

function wordsOf(applied: Applied): string {
  if ('silent' in applied) return ofSilent('no answer', applied);
  if (!applied.ok)
    return `cannot be said: ${applied.failed
      .map(({ state, comment }) => `${state} ${comment}`.trim())
      .slice(0, 3)
      .join('; ')}`;
  const { changes } = applied;
  if (changes.length === 0) return 'as the document that it has says';
  return `${changes.length} states would change something (${changes.slice(0, 3).join(', ')}${changes.length > 3 ? ', …' : ''})`;
}
