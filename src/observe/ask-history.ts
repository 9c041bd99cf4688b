import { agentPaths } from '../model/contract.ts';
import { messageOf } from '../model/values.ts';
import { type Asking, get, type Place } from './ask.ts';
import { readHistory, type ToldHistory } from './history.ts';

/** Who is asked what it decided. */
export interface Asked extends Pick<ToldHistory, 'server' | 'agent' | 'instance' | 'cluster'> {
  readonly at: Place;
}

/** Asks an agent what it decided since a moment. Never rejects: who does not answer says why. */
export async function askHistory(
  { at, ...who }: Asked,
  sinceMs: number,
  options: Asking,
): Promise<ToldHistory | { readonly server: string; readonly instance?: string; readonly silent: string }> {
  try {
    const value: unknown = JSON.parse(await get(at, options, `${agentPaths.history}?since=${Math.floor(sinceMs)}`));
    return { ...who, ...readHistory(value) };
  } catch (error) {
    const what = error instanceof SyntaxError || !(error instanceof Error) ? 'answers no history' : messageOf(error);
    return { ...who, silent: what };
  }
}

/** The same agents, each with what tells it from others of its server: its kind, or its kind and port where several are of one. */
export function toldApart(asked: readonly Asked[]): readonly Asked[] {
  return asked.map((one) => {
    const beside = asked.filter(({ server }) => server === one.server);
    if (beside.length < 2) return one;
    const alike = beside.filter(({ agent }) => agent === one.agent);
    return { ...one, instance: alike.length < 2 ? one.agent : `${one.agent}:${one.at.port}` };
  });
}

/** An agent, or the commands of a machine, as people read it. */
export function nameOf({ server, instance }: Pick<ToldHistory, 'server' | 'instance'>): string {
  return instance === undefined ? server : `${server} (${instance})`;
}
