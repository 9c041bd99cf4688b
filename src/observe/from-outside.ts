import type { Snapshot } from './snapshot.ts';

/**
 * Where to ask instead, when no agent answers here: then the machine that asks is more likely outside than everybody is dead. `command`
 * is the command that was asked, as it is typed (pure).
 */
export function fromOutside(
  { agents, steering = [] }: Pick<Snapshot, 'agents' | 'steering'>,
  command: string,
): readonly string[] {
  if (agents.length === 0 || agents.some((part) => !('problem' in part))) return [];
  const who = steering.some((part) => 'steering' in part) ? 'no blade or worker' : 'no agent';
  return [
    `  ${who} answers this machine: ask on a server of the platform, or in a network of --metrics-from; of a lab ask inside: tideline lab exec -- ${command}`,
  ];
}
