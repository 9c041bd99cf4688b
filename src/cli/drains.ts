import { withoutUndefined } from '../model/values.ts';
import { type DrainState } from '../observe/drains.ts';
import type { Register } from './command.ts';
import { answersNow } from './drain-answers.ts';
import { lookAt } from './look.ts';
import { addNameServerOption, type NameServerArguments } from './name-servers.ts';
import { addTlsOptions } from './options.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { addSteeringAgentsOption, askSteeringAgents, type SteeringAgentsArguments } from './steering-agents.ts';
import type { TlsArguments } from './tls.ts';

type DrainsArguments = OutputArguments & TlsArguments & NameServerArguments & SteeringAgentsArguments;

/** `tideline drains FILES...`: every Drain, how far it is, and what is left. */
export const register: Register = (program) => {
  const drains = program
    .command('drains')
    .description('Say of every Drain how far it is, and what may be switched off')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them');
  addSteeringAgentsOption(
    addTlsOptions(addOutputOption(addNameServerOption(drains))),
    'which says how many users DNS still leads to what is drained',
  )
    .addHelpText(
      'after',
      `
Reads Drains from the folder, and from the API of each cluster whose kubeconfig the spec names. Asks the agents of the servers
concerned, and of a Drain of a cluster or site the name servers what users of one country are answered. "empty" means that nothing is left:
no VIP and no open connection of a blade, no route to pods of a worker, and no user whom DNS leads there. Of DNS that is known where a
steering agent is asked, or the status of the Drain in an API says it; else it is "DNS: unknown", and a cluster or site that policies
name is not called empty. Exit code 0: as far as can be seen all is as it should be, 1: an agent does not answer or has not heard of a
Drain, an API is not known, or DNS is not.`,
    )
    .action(run);
};

async function run(paths: string[], options: DrainsArguments): Promise<void> {
  const { wholePlatform } = await import('./whole-platform.ts');
  const { remarksOf } = await import('../platform/whole.ts');
  const { drainStates } = await import('../observe/drains.ts');
  const { firstLines, doubtsOf } = await import('../observe/doubts.ts');
  const { fromOutside } = await import('../observe/from-outside.ts');
  const { renderDrains } = await import('../observe/drain-text.ts');
  const whole = await wholePlatform(paths);
  const { platform } = whole;
  const remarks = remarksOf(whole);
  const [seen, following, steering] = await Promise.all([
    lookAt(platform, options),
    answersNow(platform, options),
    askSteeringAgents(options),
  ]);
  const snapshot = { ...seen, ...withoutUndefined({ steering }) };
  const drains = drainStates(platform, snapshot, { fromApis: whole.fromApis, inStatus: whole.answers, following });
  await printResult(options.output, {
    lines: () => [
      ...firstLines(snapshot),
      ...renderDrains(drains, snapshot.takenAtMs),
      ...remarks,
      ...fromOutside(snapshot, 'tideline drains FOLDER'),
    ],
    value: () => ({ takenAtMs: snapshot.takenAtMs, doubts: doubtsOf(snapshot), drains, remarks }),
  });
  if (drains.some(isUnsure) || remarks.length > 0) process.exitCode = 1;
}

function isUnsure({ phase }: DrainState): boolean {
  return phase === 'unknown' || phase === 'waiting';
}
