import { InputError, problemList } from '../model/problem.ts';
import { withoutUndefined } from '../model/values.ts';
import type { FirstSeen } from '../observe/first-seen.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { ScreenOptions } from '../observe/text.ts';
import { sleep, systemClock } from '../runtime/clock.ts';
import { clearScreen, printErrorLines, printLines } from '../runtime/print.ts';
import type { Register } from './command.ts';
import { type AnswersOptions, answersNow } from './drain-answers.ts';
import { type LookOptions, lookAt } from './look.ts';
import { addNameServerOption, type NameServerArguments } from './name-servers.ts';
import { addTlsOptions } from './options.ts';
import { addOutputOption, type OutputArguments, printResult } from './output.ts';
import { addSteeringAgentsOption, askSteeringAgents, type SteeringAgentsArguments } from './steering-agents.ts';
import type { TlsArguments } from './tls.ts';

interface StatusArguments extends OutputArguments, TlsArguments, NameServerArguments, SteeringAgentsArguments {
  readonly watch?: true;
}

/** From one look to the next; a look takes at most as long, so that two intervals bound how late a screen is. */
const intervalMs = 2000;
/** A look that took too long leaves the machine this much rest. */
const restMs = 250;

/** `tideline status FILES...`: everybody's status on one screen. */
export const register: Register = (program) => {
  const status = program
    .command('status')
    .description('Ask every agent, and say first what matters most')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .option('--watch', 'again every two seconds, until Ctrl-C');
  addSteeringAgentsOption(status, 'who applies what the policies want of DNS');
  addTlsOptions(addOutputOption(addNameServerOption(status)))
    .addHelpText(
      'after',
      `
Asks the agents of the blades that the spec names, and of the workers that each cluster lists, over the network: it runs where
an agent lets it in (a server of the platform, or a network of --metrics-from). Clusters are read by their source in the spec.
Of DNS it asks only whether users are led away from a cluster or site that is drained (tideline steering plan compares the zones), and
what routers make of a route is not known to agents.
Exit code 0: nothing is wrong, 1: something is (an outage, a fault, or something that is not known), 2: bad input.`,
    )
    .action(run);
};

async function run(paths: string[], options: StatusArguments): Promise<void> {
  if (options.watch === true) return watch(paths, options);
  const { findingsOf } = await import('../observe/findings.ts');
  const snapshot = await look(paths, options);
  await show(snapshot, options);
  const wrong = findingsOf(snapshot).some(({ severity }) => severity !== 'warning' && severity !== 'note');
  process.exitCode = wrong ? 1 : 0;
}

/**
 * Looks again and again, as long as somebody reads. A spec that is being edited may not be valid for a moment: then that is shown.
 */
async function watch(paths: readonly string[], options: StatusArguments): Promise<void> {
  const { stdout } = process;
  let isRead = true;
  stdout.once('error', () => {
    isRead = false;
  });
  const clears = stdout.isTTY && process.env.TERM !== 'dumb';
  const { firstSeen } = await import('../observe/first-seen.ts');
  let before: { readonly snapshot: Snapshot; readonly seen: FirstSeen } | undefined;
  while (isRead) {
    const begunMs = systemClock.monotonic();
    const snapshot = await look(paths, {
      ...options,
      patienceMs: intervalMs,
      ...withoutUndefined({ before: before?.snapshot }),
    }).catch((error: unknown) => {
      if (error instanceof InputError) return problemList(error.problems);
      throw error;
    });
    if (clears && options.output === 'text') clearScreen();
    if (!('takenAtMs' in snapshot)) printErrorLines(snapshot);
    else {
      before = { snapshot, seen: firstSeen(before?.seen, snapshot) };
      await show(snapshot, options, { ...screenOf(stdout), seen: before.seen });
    }
    if (!clears && options.output === 'text') printLines(['']);
    await sleep(systemClock, Math.max(restMs, begunMs + intervalMs - systemClock.monotonic()));
  }
}

/** What the terminal shows at this moment, less the line on which the cursor rests. */
function screenOf({ isTTY, columns, rows }: NodeJS.WriteStream): ScreenOptions {
  return isTTY && columns > 0 && rows > 1 ? { columns, rows: rows - 1 } : {};
}

async function show(snapshot: Snapshot, { output }: OutputArguments, screen: ScreenOptions = {}): Promise<void> {
  const { findingsOf } = await import('../observe/findings.ts');
  const { withFirstSeen } = await import('../observe/first-seen.ts');
  const { renderStatus } = await import('../observe/text.ts');
  await printResult(output, {
    lines: () => renderStatus(snapshot, screen),
    value: () => ({ ...snapshot, findings: withFirstSeen(findingsOf(snapshot), screen.seen) }),
  });
}

async function look(
  paths: readonly string[],
  options: Omit<LookOptions, 'following' | 'fromApis'> & AnswersOptions & SteeringAgentsArguments,
): Promise<Snapshot> {
  const { wholeSpec } = await import('./whole-platform.ts');
  const { wholeOf } = await import('../platform/whole.ts');
  const spec = await wholeSpec(paths);
  const { platform, twice, fromApis } = wholeOf(spec, systemClock.now());
  const [snapshot, steering] = await Promise.all([
    lookAt(platform, { ...options, fromApis, following: () => answersNow(platform, options) }),
    askSteeringAgents(options),
  ]);
  return {
    ...snapshot,
    ...withoutUndefined({ steering }),
    spec: {
      twice: twice.map(({ kind, name, place }) => ({ object: `${kind}/${name}`, place })),
      unread: [...spec.unread].map(([cluster, why]) => ({ cluster, why })),
    },
  };
}
