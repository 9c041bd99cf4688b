import { agentPaths } from '../model/contract.ts';
import { messageOf } from '../model/values.ts';
import { type Asking, get, type Place } from './ask.ts';
import { readHistory, type ToldHistory } from './history.ts';

/** Who is asked what it decided. */
export interface Asked extends Pick<ToldHistory, 'server' | 'agent' | 'cluster'> {
  readonly at: Place;
}

/** Asks an agent what it decided since a moment. Never rejects: who does not answer says why. */
export async function askHistory(
  { at, ...who }: Asked,
  sinceMs: number,
  options: Asking,
): Promise<ToldHistory | { readonly server: string; readonly silent: string }> {
  try {
    const value: unknown = JSON.parse(await get(at, options, `${agentPaths.history}?since=${Math.floor(sinceMs)}`));
    return { ...who, ...readHistory(value) };
  } catch (error) {
    const what = error instanceof SyntaxError || !(error instanceof Error) ? 'answers no history' : messageOf(error);
    return { server: who.server, silent: what };
  }
}
