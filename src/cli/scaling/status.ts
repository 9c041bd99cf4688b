import type { Command } from 'commander';
import { agentPorts } from '../../model/contract.ts';
import { addTlsOptions, type ListenAddress, parseListenAddress } from '../options.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import type { TlsArguments } from '../tls.ts';

interface StatusArguments extends OutputArguments, TlsArguments {
  readonly agent: readonly ListenAddress[];
}

/** `tideline scaling status`: what autoscalers are told now, and whether they have it. */
export function register(scaling: Command): void {
  const command = scaling
    .command('status')
    .description('Ask scaling agents what autoscalers are told now, why, and whether it is Ready')
    .option(
      '--agent <host:port>',
      `an agent to ask; may be given again (default: 127.0.0.1:${agentPorts.scaling})`,
      (text: string, before: readonly ListenAddress[]) => [...before, parseListenAddress(text)],
      [] as readonly ListenAddress[],
    );
  addTlsOptions(addOutputOption(command))
    .addHelpText(
      'after',
      '\nExit code 0: every floor is held; 1: one is not, or an agent is silent or has a problem; 2: bad input.',
    )
    .action(run);
}

const patienceMs = 3000;

async function run({ agent, output, ...tls }: StatusArguments): Promise<void> {
  const { askScaling, isScalingAmiss, scalingLines } = await import('../../observe/scaling.ts');
  const { accessOf } = await import('../tls.ts');
  const access = await accessOf(tls);
  const asked = agent.length === 0 ? [{ host: '127.0.0.1', port: agentPorts.scaling }] : agent;
  const options = { timeoutMs: patienceMs, access };
  const parts = await Promise.all(asked.map(({ host, port }) => askScaling({ address: host, port }, options)));
  await printResult(output, {
    lines: () => parts.flatMap((part) => scalingLines(part, Date.now())),
    value: () => parts,
  });
  if (parts.some(isScalingAmiss)) process.exitCode = 1;
}
