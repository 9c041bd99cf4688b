import type { Command } from 'commander';
import type { SteeringPart } from '../observe/steering-part.ts';
import { type ListenAddress, parseListenAddress } from './options.ts';
import { accessOf, type TlsArguments } from './tls.ts';

export interface SteeringAgentsArguments {
  /** The steering agents to ask. */
  readonly steering: readonly ListenAddress[];
}

/** Adds the option that names the steering agents, of which the platform spec says nothing. */
export function addSteeringAgentsOption(command: Command, whatFor: string): Command {
  return command.option(
    '--steering <host:port>',
    `ask this steering agent as well, ${whatFor}; may be given again`,
    (text: string, before: readonly ListenAddress[]) => [...before, parseListenAddress(text)],
    [],
  );
}

/** What the steering agents say of DNS; undefined where none is named. */
export async function askSteeringAgents({
  steering,
  patienceMs = 3000,
  ...tls
}: SteeringAgentsArguments & TlsArguments & { readonly patienceMs?: number }): Promise<
  readonly SteeringPart[] | undefined
> {
  if (steering.length === 0) return undefined;
  const { askSteering } = await import('../observe/steering.ts');
  const access = await accessOf(tls);
  return Promise.all(
    steering.map(({ host, port }) => askSteering({ address: host, port }, { timeoutMs: patienceMs, access })),
  );
}
