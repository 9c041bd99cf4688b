import { existsSync } from 'node:fs';
import { isAcceptFile, isFingerprint, writeAcceptance } from '../../kube/acceptance.ts';
import { InputError } from '../../model/problem.ts';
import { messageOf } from '../../model/values.ts';
import type { LocalAgent } from '../../observe/ask-doubts.ts';
import type { AgentDoubt } from '../../observe/doubt-fields.ts';
import type { FleetDoubt } from '../../observe/doubts.ts';
import { sleep, systemClock } from '../../runtime/clock.ts';
import type { AgentAccess } from '../../runtime/tls/line.ts';
import { lookAt } from '../look.ts';
import type { ListenAddress } from '../options.ts';
import { type OutputArguments, printResult } from '../output.ts';
import { personHere } from '../person.ts';
import { showProgress } from '../progress.ts';
import { accessOf, type TlsArguments } from '../tls.ts';
import { localAgents } from './local.ts';
import { type Heard, heardOf, isTaken, takenAlready } from './taken.ts';
import { renderAlready, renderDoubts, renderPlan } from './text.ts';

export interface AcceptArguments extends OutputArguments, TlsArguments {
  readonly agent: readonly ListenAddress[];
  readonly yes?: true;
}

/** An agent of this server has taken what a person wrote after this time at most: it looks every second, at a folder every five. */
const takenWithinMs = 20_000;

export async function run(words: readonly string[], options: AcceptArguments): Promise<void> {
  const { fingerprint, paths } = await read(words);
  if (options.yes === true && fingerprint === undefined)
    throw new InputError({
      reason: 'OptionAlone',
      message: '--yes goes with a fingerprint',
      fix: 'name what is to be accepted: `tideline accept` lists it',
    });
  if (options.yes === true && paths.length > 0)
    throw new InputError({
      reason: 'NotFromHere',
      message: 'a doubt is accepted on the server that has it, and not from here',
      fix: 'leave --yes out to see the servers, then run `tideline accept FINGERPRINT --yes` there',
    });
  if (paths.length > 0) return fleet(paths, fingerprint, options);
  const agents = await localAgents(options.agent, options);
  if (agents.length === 0)
    throw new Error('no agent answers on this server; name a folder of the platform spec to ask the others');
  if (fingerprint === undefined) return list(agents, options);
  return accept(agents, fingerprint, options);
}

/** The first word may be a fingerprint, all others are files and folders. */
async function read(words: readonly string[]) {
  const [first = '', ...rest] = words;
  const fingerprint = isFingerprint(first) ? first : undefined;
  const paths = fingerprint === undefined ? words : rest;
  const bad = paths.find((path) => !existsSync(path));
  if (bad !== undefined)
    throw new InputError({
      reason: 'UnknownFingerprint',
      message: `"${bad}" is no fingerprint, and no file or folder of that name is there`,
      expected: 'twelve characters from 0 to f, the identity of a cluster, or a VIP',
      fix: 'look at `tideline accept`',
    });
  return { fingerprint, paths };
}

async function list(agents: readonly LocalAgent[], { output }: AcceptArguments): Promise<void> {
  const doubts = await ofAgents(agents);
  await printResult(output, {
    lines: () => renderDoubts(doubts, { here: true, silent: [], nowMs: systemClock.now() }),
    value: () => ({ agents: agents.map(({ agent, server, cluster }) => ({ agent, server, cluster })), doubts }),
  });
  if (doubts.length > 0) process.exitCode = 1;
}

async function ofAgents(agents: readonly LocalAgent[]): Promise<readonly FleetDoubt[]> {
  const { joinDoubts } = await import('../../observe/doubts.ts');
  return joinDoubts(agents.map(({ server, cluster, doubts }) => ({ server, cluster, doubts })));
}

async function fleet(paths: readonly string[], fingerprint: string | undefined, options: AcceptArguments) {
  const { output } = options;
  const { loadPlatformOrThrow } = await import('../../platform/load.ts');
  const { doubtsOf } = await import('../../observe/doubts.ts');
  const snapshot = await lookAt(await loadPlatformOrThrow(paths), options);
  const all = doubtsOf(snapshot);
  const doubts = fingerprint === undefined ? all : all.filter((doubt) => doubt.fingerprint === fingerprint);
  if (fingerprint !== undefined && doubts.length === 0) return notInDoubt(fingerprint, heardOf(snapshot), output);
  const silent = snapshot.agents.flatMap((part) => ('problem' in part ? [part.target.server] : []));
  const unread = snapshot.clusters.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`workers of ${name}`],
  );
  const { takenAtMs: nowMs } = snapshot;
  await printResult(output, {
    lines: () => renderDoubts(doubts, { here: false, silent: [...silent, ...unread], nowMs }),
    value: () => ({ takenAtMs: nowMs, doubts, silent: [...silent, ...unread] }),
  });
  if (doubts.length + silent.length + unread.length > 0) process.exitCode = 1;
}

/** Says that agents have taken it already; throws an InputError where none has, which names no other fingerprint that is in doubt. */
async function notInDoubt(fingerprint: string, agents: readonly Heard[], output: OutputArguments['output']) {
  const already = takenAlready(fingerprint, agents);
  if (already.length > 0)
    return printResult(output, {
      lines: () => renderAlready(fingerprint, already),
      value: () => ({ fingerprint, acceptedAlready: already }),
    });
  const isFormer = agents.some(({ doubts }) => doubts.some(({ former }) => former.includes(fingerprint)));
  throw new InputError({
    reason: isFormer ? 'FormerFingerprint' : 'UnknownFingerprint',
    message: isFormer
      ? `${fingerprint} was shown before; something else is in doubt now`
      : `nothing with the fingerprint ${fingerprint} is in doubt`,
    fix: '`tideline accept` lists what is in doubt now',
  });
}

/** What is to be written, and for whom. */
interface Wanted {
  readonly agent: LocalAgent;
  readonly doubt: AgentDoubt;
  readonly file: string;
}

async function accept(agents: readonly LocalAgent[], fingerprint: string, options: AcceptArguments): Promise<void> {
  const wanted = agents.flatMap((agent): readonly Wanted[] => {
    const doubt = agent.doubts.find((one) => one.fingerprint === fingerprint);
    return doubt === undefined ? [] : [{ agent, doubt, file: fileOf(agent, doubt) }];
  });
  if (wanted.length === 0) return notInDoubt(fingerprint, agents, options.output);
  const files = [...new Set(wanted.map(({ file }) => file))];
  const taken = options.yes === true ? await write(wanted, files, { said: fingerprint, options }) : undefined;
  const missing = wanted.filter(({ agent }) => taken?.includes(agent) === false).map(({ agent }) => nameOf(agent));
  await printResult(options.output, {
    lines: () => renderPlan(fingerprint, wanted, { written: taken !== undefined, missing }),
    value: () => ({
      fingerprint,
      doubts: wanted.map(({ agent, doubt }) => ({ agent: agent.agent, server: agent.server, ...doubt })),
      files,
      written: taken !== undefined,
      takenBy: (taken ?? []).map(nameOf),
      notTakenBy: missing,
    }),
  });
  if (missing.length > 0) process.exitCode = 1;
}

function nameOf({ agent, server }: LocalAgent): string {
  return `${agent} agent of ${server}`;
}

function fileOf(agent: LocalAgent, { acceptFile, reason }: AgentDoubt): string {
  if (acceptFile !== undefined && isAcceptFile(acceptFile)) return acceptFile;
  throw new Error(`the ${nameOf(agent)} names no accept file for ${reason}: ${acceptFile ?? 'none'}`);
}

/** Writes the files and waits; resolves with the agents that say that they have taken it. */
async function write(
  wanted: readonly Wanted[],
  files: readonly string[],
  { said, options }: { readonly said: string; readonly options: TlsArguments },
): Promise<readonly LocalAgent[]> {
  const access = await accessOf(options);
  const fromMs = systemClock.now();
  for (const file of files)
    await writeAcceptance(file, { said, by: personHere() }).catch((error: unknown) => {
      throw new Error(`${file} cannot be written: ${messageOf(error)}; run this as root, or as the agents' user`);
    });
  const progress = showProgress();
  const taken: LocalAgent[] = [];
  try {
    for (;;) {
      for (const { agent, doubt } of wanted)
        if (!taken.includes(agent) && (await hasTaken(agent, doubt, { fromMs, access }))) taken.push(agent);
      const missing = wanted.filter(({ agent }) => !taken.includes(agent));
      if (missing.length === 0 || systemClock.now() - fromMs > takenWithinMs) return taken;
      progress.step(`waiting for the ${missing.map(({ agent }) => nameOf(agent)).join(', ')}`);
      await sleep(systemClock, 250);
    }
  } finally {
    progress.end();
  }
}

async function hasTaken(
  { at }: LocalAgent,
  doubt: AgentDoubt,
  { fromMs, access }: { readonly fromMs: number; readonly access: AgentAccess | undefined },
): Promise<boolean> {
  const { askDoubts } = await import('../../observe/ask-doubts.ts');
  const now = await askDoubts(at, { timeoutMs: 3000, access });
  return now !== undefined && isTaken(now, doubt, fromMs);
}
