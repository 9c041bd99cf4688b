import { Command, InvalidArgumentError } from 'commander';
import { findObject } from '../../model/platform/find.ts';
import { InputError } from '../../model/problem.ts';
import { shellWords } from '../../model/shell-words.ts';
import type { Platform } from '../../model/spec/platform.ts';
import { type Trusted, trustOption, trustText } from '../agent/spec-sources.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { record } from '../record.ts';
import type { ProposalView } from './proposals/versions.ts';

interface JudgeArguments extends OutputArguments {
  readonly platformTrust?: readonly Trusted[];
  readonly proposal?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly toApi?: true;
}

type Word = 'approve' | 'reject';

/** `tideline steering approve NAME FILES...`: lets a TrafficOverlay take effect, in the version that was looked at. */
export const registerApprove = (): Command =>
  register('approve', 'Let a TrafficOverlay take effect, in the version that you looked at');

/** `tideline steering reject NAME FILES...`: keeps a TrafficOverlay from taking effect, or leads its traffic back. */
export const registerReject = (): Command =>
  register('reject', 'Keep a TrafficOverlay from taking effect; of one that is in force the traffic returns');

function register(word: Word, description: string): Command {
  const command = new Command(word)
    .description(description)
    .argument('<name>', 'its name, as `steering proposals` prints it')
    .argument('<path...>', 'the folder of the platform spec that agents read; more files and folders if it has more')
    .option(
      '--proposal <digest>',
      'the version that you looked at; without it that is shown, and nothing is written',
      parseDigest,
    )
    .option('--reason <text>', 'for people: why; --proposal needs it')
    .option('--by <name>', 'for people: who (default: the user of this machine, or with --to-api whom the API knows)')
    .option('--to-api', 'write it into the API in which the proposal stands, instead of the folder')
    .addOption(trustOption('read the platform spec in the API of this cluster as well, and believe it'));
  return addOutputOption(command)
    .addHelpText(
      'after',
      `
Shows the proposal and writes nothing without --proposal. With it a TrafficVerdict is written into the first folder that is named, in a file of
its own; distribute the folder as you always do. With --to-api it is written into the API in which the overlay stands, of those that
--platform-trust names, and in the name by which that API knows you. What moves by it is said by \`tideline steering plan --if-approved NAME\`, and the guard of
the policy judges that plan as any other.
Exit code 0: shown, written, or said so already, 2: bad input, also where the version is another one by now.`,
    )
    .action((name: string, paths: string[], options: JudgeArguments) => judge(word, name, paths, options));
}

async function judge(word: Word, name: string, paths: string[], options: JudgeArguments): Promise<void> {
  const { steeredSpec } = await import('./spec.ts');
  const { askedVersion, digested } = await import('./proposals/versions.ts');
  const { renderProposal } = await import('./proposals/text.ts');
  const { apiPen, folderPen } = await import('./proposals/pens.ts');
  const { platform, said } = await steeredSpec(paths, options.platformTrust ?? []);
  const overlay = findObject(platform, 'TrafficOverlay', name);
  const view = platform.overlaid?.find((one) => one.name === name);
  if (view === undefined) throw new Error(`nothing is known of the overlay ${name}`);
  const shown = digested(view);
  const asked = askedVersion(shown);
  const { digest } = asked;
  const where = { name, paths, by: options.by, platform, said };
  const pen = await (options.toApi === true ? apiPen : folderPen)(where);
  refuse(word, { ...shown, ...asked }, pen.names, platform);
  if (options.proposal === undefined) {
    const command = commandOf(word, [name, ...paths], digest, options);
    const old = shown.digest;
    const ends = word === 'reject' && asked !== shown && shown.state === 'in force';
    return printResult(options.output, {
      lines: () => [
        ...renderProposal(shown),
        `nothing was written${ends ? `; version ${old} ends with it, and its traffic returns` : ''}`,
        `to ${word} exactly version ${digest}: ${command}`,
      ],
      value: () => ({ proposal: shown, digest, command }),
    });
  }
  if (options.reason === undefined) throw new InputError(reasonMissing);
  if (options.proposal !== digest) throw new InputError(otherVersion(options.proposal, name, digest));
  const { by } = pen;
  const proven = word === 'approve' && platform.policies.get(asked.proposal.policy)?.spec.guard.approvers === 'other';
  const { files, objects } = await pen.write({ overlay, verdict: word, by, reason: options.reason }, { proven });
  const what = word === 'approve' ? 'ProposalApproved' : 'ProposalRejected';
  await record(what, { subject: `overlay ${name}`, why: options.reason, by });
  await printResult(options.output, {
    lines: () => [
      `${word === 'approve' ? 'approved' : 'rejected'} by ${by}: overlay ${name}, version ${digest}`,
      ...[...files, ...objects].map((place) => `written: ${place}`),
    ],
    value: () => ({
      overlay: name,
      verdict: word,
      digest,
      by,
      files: files.map((file) => ({ file, action: 'written' })),
      objects: objects.map((place) => ({ place, action: 'written' })),
    }),
  });
}

/** Throws an InputError where the word would have no effect, or not the one that a person means. */
function refuse(
  word: Word,
  { name, state, trouble, proposal, broken }: ProposalView,
  names: readonly string[],
  platform: Platform,
) {
  if (word === 'reject') return;
  const object = `TrafficOverlay/${name}`;
  if (state === 'broken')
    throw new InputError({
      reason: 'OverlayBroken',
      object,
      message: `the policy allows none of it: ${broken.map(({ why }) => why).join('; ')}`,
      fix: 'let its owner correct it, or change the policy',
    });
  if (state === 'equal')
    throw new InputError({
      reason: 'NothingToApprove',
      object,
      message: `the policy ${proposal.policy} says the same already`,
      fix: 'withdraw the overlay',
    });
  if (trouble.includes('expired'))
    throw new InputError({
      reason: 'OverlayExpired',
      object,
      message: `it ended at ${proposal.expires}`,
      fix: 'let its owner give it a later end',
    });
  const approvers = platform.policies.get(proposal.policy)?.spec.guard.approvers;
  const owner = platform.overlays.get(name)?.spec.owner;
  if (approvers === 'other' && names.some((one) => one === owner))
    throw new InputError({
      reason: 'OwnProposal',
      object,
      message: `${owner} proposes it, and the policy ${proposal.policy} wants another person to approve (guard.approvers)`,
      fix: 'ask somebody else to look at it and approve it',
    });
}

/** The command that says so about this version: as this one was called, and with all that is recorded. */
function commandOf(word: Word, words: readonly string[], digest: string, options: JudgeArguments): string {
  const { by, reason = 'WHY', platformTrust = [], toApi } = options;
  return shellWords([
    'tideline',
    'steering',
    word,
    ...words,
    '--proposal',
    digest,
    ...(by === undefined ? [] : ['--by', by]),
    ...(toApi === undefined ? [] : ['--to-api']),
    '--reason',
    reason,
    ...platformTrust.flatMap((one) => ['--platform-trust', trustText(one)]),
  ]);
}

const reasonMissing = {
  reason: 'OptionAlone',
  message: '--proposal goes with --reason',
  fix: 'add --reason, or leave --proposal out',
};

function otherVersion(asked: string, name: string, digest: string) {
  return {
    reason: 'ProposalChanged',
    object: `TrafficOverlay/${name}`,
    message: `its version is ${digest} by now, and not ${asked}`,
    fix: 'look at it again, without --proposal',
  };
}

function parseDigest(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected the 12 characters that `tideline steering proposals` printed.');
}
