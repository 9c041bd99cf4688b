import type { Command } from 'commander';
import type { Standing } from '../../planes/fleet/check.ts';
import { type Called, ofSilent, type Reach, type Silent } from '../../planes/fleet/run/reach.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { few } from './few.ts';
import { type Prepared, prepare } from './prepared.ts';
import { addReachOptions, type ReachArguments, reachOf } from './reaching.ts';

interface CheckArguments extends OutputArguments, ReachArguments {
  readonly against: string;
}

/** `tideline fleet check FOLDER… --against DIR`: why an apply would be refused now, or do harm. It changes nothing. */
export function register(fleet: Command): void {
  const command = fleet
    .command('check')
    .description('Say everything for which an apply would be refused now, or do harm, each with what to do')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption('--against <folder>', 'the folder that `tideline fleet compile --out` wrote');
  addOutputOption(addReachOptions(command))
    .addHelpText(
      'after',
      `
Certificates, authorities and secrets; a freeze, the lock of the folder, runs that did not end well, versions that only an upgrade brings. With
--salt-config also servers that do not answer, and artifacts that the file server of Salt does not have, with --ssh servers that do not answer; without these no
server is asked. Exit code 0: nothing stands against it, 1: something does, 2: bad input, such as a spec with errors, which are all named.`,
    )
    .action(run);
}

async function run(paths: string[], { against, output, ...reaching }: CheckArguments): Promise<void> {
  const { standingIn } = await import('../../planes/fleet/check.ts');
  const { readSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
  const prepared = await prepare(paths, against, false);
  const { documents } = prepared.compiled;
  const standing = [
    ...(await standingInFolder(paths, prepared)),
    ...standingIn({ documents, secrets: await readSecrets(against), nowMs: Date.now() }),
    ...(reaching.saltConfig === undefined && reaching.ssh === undefined
      ? []
      : await standingOnServers(prepared, await reachOf(reaching, paths, against), reaching)),
  ];
  if (standing.length > 0) process.exitCode = 1;
  await printResult(output, {
    lines: () => (standing.length === 0 ? ['nothing stands against an apply'] : standing.flatMap(linesOf)),
    value: () => ({ standing }),
  });
}

function linesOf({ problem, servers, fix }: Standing): readonly string[] {
  return [`${problem}${servers.length === 0 ? '' : `: ${few(servers)}`}`, `  ${fix}`];
}

async function standingInFolder(
  paths: readonly string[],
  { owner, runs, upgraded }: Prepared,
): Promise<readonly Standing[]> {
  const { freezeLine } = await import('../../model/platform/freezes.ts');
  const { isOpen } = await import('../../planes/fleet/run/agreed.ts');
  const { freezeOf } = await import('../../platform/freeze-files.ts');
  const freeze = await freezeOf(paths, Date.now());
  const [newest] = runs;
  const open = owner === undefined && newest !== undefined && isOpen(newest) ? newest : undefined;
  const about = (problem: string, fix: string): Standing => ({ problem, servers: [], fix });
  return [
    ...(freeze === undefined ? [] : [about(freezeLine(freeze), 'tideline thaw; or --despite-freeze at the apply')]),
    ...(owner === undefined
      ? []
      : [about(`${owner.by} on ${owner.host} runs something in this folder`, 'wait until that run has ended')]),
    ...(open === undefined
      ? []
      : [
          about(
            `run ${open.id} (${open.run.command}) did not end well (${open.state})`,
            `go on with it by the same command (checksum ${open.run.checksum}), or plan anew, which takes its place`,
          ),
        ]),
    ...upgraded.map((cluster) =>
      about(
        `etcd or the API server of ${cluster} gets another version`,
        `tideline fleet upgrade ${cluster}, which brings it member by member`,
      ),
    ),
  ];
}

async function standingOnServers(
  { compiled }: Prepared,
  reach: Reach,
  { ssh }: ReachArguments,
): Promise<readonly Standing[]> {
  const { saltFilesOf } = await import('../../planes/fleet/check.ts');
  const { signal } = new AbortController();
  const servers = [...compiled.documents.keys()];
  const answers = await reach.call(servers, 'test.ping', {}, signal);
  const answering = servers.filter((server) => 'value' in (answers.get(server) ?? {}));
  const silent = servers.filter((server) => !answering.includes(server));
  const files = ssh === true ? new Map<string, readonly string[]>() : saltFilesOf(compiled.documents);
  const [first] = answering;
  const absent = first === undefined || files.size === 0 ? [] : await absentFiles(first, files, reach, signal);
  return [
    ...[...Map.groupBy(silent, (server) => ofSilent('does not answer', silentOf(answers.get(server))))].map(
      ([problem, some]) => ({
        problem,
        servers: some,
        fix:
          ssh === true
            ? 'see that sshd runs there, and its key is known here'
            : 'see that salt-minion runs there, and its key is accepted',
      }),
    ),
    ...absent,
  ];
}

function silentOf(called: Called | undefined): Silent | undefined {
  return called !== undefined && 'silent' in called ? called : undefined;
}

/** The file server is asked by way of one server: what it has is the same for all. */
async function absentFiles(
  server: string,
  files: ReadonlyMap<string, readonly string[]>,
  reach: Reach,
  signal: AbortSignal,
): Promise<readonly Standing[]> {
  const answer = (await reach.call([server], 'cp.list_master', {}, signal)).get(server) ?? {};
  if (!('value' in answer) || !Array.isArray(answer.value))
    return [{ problem: 'cannot say which files Salt has', servers: [server], fix: `salt ${server} cp.list_master` }];
  const present = new Set<unknown>(answer.value);
  return [...files]
    .filter(([path]) => !present.has(path))
    .map(([path, some]) => ({
      problem: `the file server of Salt has no ${path}`,
      servers: some,
      fix: 'put it into a folder of file_roots of the master',
    }));
}
