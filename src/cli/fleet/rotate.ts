import { Argument, type Command } from 'commander';
import type { Phase } from '../../planes/fleet/pki/rotation.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';

interface RotateArguments extends OutputArguments {
  readonly authorities: string;
  readonly passphraseFile: string;
  readonly against: string;
  readonly serversHaveIt?: true;
  readonly yes?: true;
}

const keys = ['etcd', 'kubernetes', 'front-proxy', 'service-accounts', 'encryption'] as const;
type Key = (typeof keys)[number];

/** `tideline fleet rotate CLUSTER KEY PHASE`: one phase of the change of an authority or of a key, in the folder of the authorities. */
export function register(fleet: Command): void {
  const command = fleet
    .command('rotate')
    .description('Change an authority or a key of a cluster, one phase at a time, without an interruption')
    .argument('<cluster>', 'name of the cluster')
    .addArgument(new Argument('<key>', 'an authority, the key of tokens, or the key of encryption').choices(keys))
    .addArgument(
      new Argument(
        '<phase>',
        'trust a new one as well, use it, trust the old one no longer; of encryption: remove dropped keys',
      ).choices(['introduce', 'promote', 'drop', 'forget']),
    )
    .requiredOption('--authorities <folder>', 'the authorities, CLUSTER/PURPOSE.crt and .key; it belongs on no server')
    .requiredOption('--passphrase-file <file>', 'the passphrase of the keys of the authorities, on its first line')
    .requiredOption('--against <folder>', 'the folder of documents: it tells which servers got the phase before')
    .option(
      '--servers-have-it',
      'every server has the phase before, which no run of this folder brought it: nothing is compared',
    )
    .option('--yes', 'do it; without, it is only shown');
  addOutputOption(command)
    .addHelpText(
      'after',
      `
Nothing reaches a server by it: after each phase sign, compile and apply with --all. The next one is refused until every server got it. A
phase that is done again changes nothing. A dropped key of encryption stays in the folder of the authorities, because older snapshots of
etcd need it, until \`forget\` removes it for good. What has to be waited for besides: docs/operations/fleet.md`,
    )
    .action(run);
}

async function run(cluster: string, key: Key, phase: Phase | 'forget', options: RotateArguments): Promise<void> {
  if (phase === 'forget') return forget(cluster, key, options);
  const { changeAuthority, readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
  const { changeSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
  const { readBrought } = await import('../../planes/fleet/pki/brought.ts');
  const { authorities: safe, passphraseFile, output } = options;
  const write = options.yes === true;
  const passphrase = await readPassphrase(passphraseFile);
  const known = options.serversHaveIt === true ? {} : { brought: await readBrought(options.against) };
  const names =
    key === 'encryption' || key === 'service-accounts'
      ? await changeSecrets(safe, cluster, passphrase, { of: key, phase, write, ...known })
      : await changeAuthority(safe, `${cluster}/${key}`, passphrase, { phase, nowMs: Date.now(), write, ...known });
  const [used = '', ...others] = names;
  await printResult(output, {
    lines: () => [
      `${cluster}/${key}: ${used} is used${others.length === 0 ? ' and no other is believed' : `, ${others.join(' ')} is believed as well`}`,
      write ? 'next: tideline fleet sign, compile and apply --all' : 'nothing was written; add --yes to do it',
    ],
    value: () => ({ written: write, cluster, key, used, believed: names }),
  });
}

/** The one phase that is about no server: what was dropped is removed from SAFE. */
async function forget(cluster: string, key: Key, options: RotateArguments): Promise<void> {
  const { readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
  const { forgetRetired } = await import('../../planes/fleet/pki/secrets-folder.ts');
  const { badOrder } = await import('../../planes/fleet/pki/rotation.ts');
  if (key !== 'encryption')
    throw badOrder(`nothing of ${key} is kept once it was dropped`, 'forget is for the keys of encryption');
  const write = options.yes === true;
  const passphrase = await readPassphrase(options.passphraseFile);
  const names = await forgetRetired(options.authorities, cluster, { passphrase, write });
  await printResult(options.output, {
    lines: () =>
      names.length === 0
        ? [`${cluster}/encryption: no dropped key is kept`]
        : [
            `${cluster}/encryption: ${names.join(' ')} ${write ? 'is removed' : 'would be removed'}: Secrets in snapshots of etcd from before it was dropped open by nothing else`,
            ...(write ? [] : ['nothing was written; add --yes when there is no such snapshot any more']),
          ],
    value: () => ({ written: write, cluster, key, forgotten: names }),
  });
}
