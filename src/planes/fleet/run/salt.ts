import { sleep, systemClock } from '../../../runtime/clock.ts';
import { appliedOf, calledOf, isSilent } from './answers.ts';
import { type Finished, runProgram } from './program.ts';
import type { Applied, ApplyOptions, Called, Reach } from './reach.ts';
import { badRun } from './reasons.ts';
import { isReading, keywords } from './salt-words.ts';

export interface SaltOptions {
  /** The folder of the master's configuration; absent: Salt's own. */
  readonly configFolder?: string;
  /** The program; by default `salt` on the PATH. */
  readonly program?: string;
  /** Seconds without a sign of a server after which the master asks whether it still works on it. */
  readonly answerSeconds?: number;
  /** The longest that one step may take. */
  readonly limitMs?: number;
}

const defaults = { program: 'salt', answerSeconds: 15, limitMs: 60 * 60 * 1000 };
/** How often, and how many times, a server is asked again that is busy with other states. */
const busyMs = 3000;
const mostTries = 200;
/** How many times a server is asked again that answers, only not to this: a machine with much to do loses answers. */
const mostSilences = 10;
/** The most that a server which was asked before gets for a sign that it works. */
const mostAnswerSeconds = 240;
/** Names of servers at once: an argument of a process has 128 KiB. */
const mostServers = 1000;

/**
 * Servers by way of their Salt master, on this machine. One command for all servers of a step, and its exit code counts for nothing: what counts is the answer
 * of each server that was asked. `--static` is a batch of all servers inside Salt, which reports a server that ran out of time as `{}`.
 */
export function reachBySalt(options: SaltOptions = {}): Reach {
  const ask = async (servers: readonly string[], words: readonly string[], signal: AbortSignal, patience = 1) => {
    const known = { ...defaults, ...options };
    const all = { ...known, answerSeconds: Math.min(known.answerSeconds * patience, mostAnswerSeconds) };
    const answers = await askAll(servers, words, signal, all);
    // A question may be lost while a minion connects anew. Only what may run twice at the same time is asked here.
    const silent = servers.filter((server) => isSilent(answers.get(server)));
    return silent.length === 0 ? answers : new Map([...answers, ...(await askAll(silent, words, signal, all))]);
  };
  const running = async (servers: readonly string[], signal: AbortSignal) =>
    await askAll(servers, ['saltutil.is_running', 'state.apply'], signal, { ...defaults, ...options });
  /** Waits until a function runs nowhere any more; resolves with the servers that say so. */
  const ended = async (servers: readonly string[], fn: string, signal: AbortSignal): Promise<readonly string[]> => {
    const idle: string[] = [];
    let left = servers;
    for (let tries = 0; left.length > 0 && tries <= mostTries && !signal.aborted; tries += 1) {
      if (tries > 0) await sleep(systemClock, busyMs);
      const found = await ask(left, ['saltutil.is_running', fn], signal);
      idle.push(...left.filter((server) => Array.isArray(found.get(server)) && !isRunning(found.get(server))));
      left = left.filter((server) => isRunning(found.get(server)));
    }
    return idle;
  };
  /**
   * A server that is silent has ended what it does before anything else is asked of it. Who is there and does not do it any more is asked once again: only the
   * answer was lost, and every function looks first what is done already.
   */
  const change = async (servers: readonly string[], fn: string, words: readonly string[], signal: AbortSignal) => {
    const all = { ...defaults, ...options };
    const answers = new Map(await askAll(servers, words, signal, all));
    const silent = (some: readonly string[]) => some.filter((server) => isSilent(answers.get(server)));
    const again = await ended(silent(servers), fn, signal);
    if (again.length === 0 || signal.aborted) return answers;
    for (const [server, answer] of await askAll(again, words, signal, all)) answers.set(server, answer);
    await ended(silent(again), fn, signal);
    return answers;
  };
  return {
    async apply(servers, { components, test, signal }: ApplyOptions) {
      const states = (components ?? []).map((name) => `tideline.${name}`).join(',');
      // A minion that queues says at once that it is done: we wait ourselves for what an earlier run, or a person, began.
      const words = [
        'state.apply',
        ...(states === '' ? [] : [states]),
        'queue=False',
        ...(test === true ? ['test=True'] : []),
      ];
      const found = new Map<string, Applied>();
      let left = servers;
      for (let tries = 0; left.length > 0; tries += 1) {
        if (tries > 0) await sleep(systemClock, busyMs);
        // Whose answer was given up while they worked, as a server on a busy machine is slow to say that it does, would be given up again.
        const answers = await ask(left, words, signal, 2 ** tries);
        for (const server of left) found.set(server, appliedOf(answers.get(server)));
        if (tries >= mostTries || signal.aborted) break;
        // Documents may come true twice, so that nothing is lost by asking whoever is there.
        const silent = left.filter((server) => isSilent(answers.get(server)));
        const there = silent.length === 0 || tries >= mostSilences ? new Map() : await running(silent, signal);
        left = left.filter((server) =>
          silent.includes(server) ? !isSilent(there.get(server)) : isBusy(found.get(server)),
        );
      }
      return found;
    },
    async call(servers, fn, args, signal) {
      const words = [fn, ...keywords(args)];
      const called = async (some: readonly string[]): Promise<ReadonlyMap<string, Called>> => {
        const answers = isReading(fn) ? await ask(some, words, signal) : await change(some, fn, words, signal);
        return new Map(some.map((server) => [server, calledOf(answers.get(server))]));
      };
      const first = await called(servers);
      const without = servers.filter((server) => isUnknownFunction(first.get(server)));
      if (without.length === 0) return first;
      // Minions get new modules with a state.apply; one that has had none yet is given them now.
      await ask(without, ['saltutil.sync_modules'], signal);
      return new Map([...first, ...(await called(without))]);
    },
  };
}

/** The answer of `saltutil.is_running` is a list of jobs. */
function isRunning(answer: unknown): boolean {
  return Array.isArray(answer) && answer.length > 0;
}

function isBusy(applied: Applied | undefined): boolean {
  return (
    applied !== undefined &&
    'failed' in applied &&
    applied.failed.some(({ state, comment }) => state === '' && / is running as PID /.test(comment))
  );
}

export function isUnknownFunction(called: Called | undefined): boolean {
  return called !== undefined && 'error' in called && /is not available\.?$/.test(called.error.trim());
}

async function askAll(
  servers: readonly string[],
  words: readonly string[],
  signal: AbortSignal,
  options: SaltOptions & typeof defaults,
): Promise<ReadonlyMap<string, unknown>> {
  const answers = new Map<string, unknown>();
  for (let from = 0; from < servers.length; from += mostServers) {
    const some = servers.slice(from, from + mostServers);
    const args = [
      ...(options.configFolder === undefined ? [] : ['--config-dir', options.configFolder]),
      '--list',
      some.join(','),
      '--out=json',
      '--static',
      `--timeout=${options.answerSeconds}`,
      '--log-level=error',
      ...words,
    ];
    const finished = await runProgram(options.program, args, { signal, timeoutMs: options.limitMs });
    for (const [server, answer] of Object.entries(returnedOf(finished))) answers.set(server, answer);
  }
  return answers;
}

/** The answers by server. Where none came Salt prints a sentence in the place of JSON. */
function returnedOf({ stdout, stderr }: Finished): Readonly<Record<string, unknown>> {
  const value = parsed(stdout);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  const said = `${stdout}\n${stderr}`.trim();
  if (/No return received|No minions matched/.test(said)) return {};
  const last = said.split('\n').findLast((line) => line.trim() !== '') ?? 'nothing';
  throw badRun(
    'ReachFailed',
    `salt said: ${last.trim().slice(0, 300)}`,
    'see that the Salt master runs on this machine',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
