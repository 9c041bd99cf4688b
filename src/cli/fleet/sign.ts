import type { Command } from 'commander';
import type { SecretsOutcome } from '../../planes/fleet/pki/secrets-folder.ts';
import type { Signing } from '../../planes/fleet/pki/sign.ts';
import { addOutputOption, type OutputArguments, printResult } from '../output.ts';
import { compilePaths } from './compiled.ts';
import { few } from './few.ts';
import { holding } from './holding.ts';
import { authorityNames, signedInto } from './provide.ts';

interface SignArguments extends OutputArguments {
  readonly publicKeys: string;
  readonly authorities: string;
  readonly passphraseFile: string;
  readonly out: string;
  readonly createAuthorities?: true;
  readonly yes?: true;
}

/** `tideline fleet sign FOLDER…`: signs the public keys that servers handed in, from the spec alone. */
export function register(fleet: Command): void {
  const command = fleet
    .command('sign')
    .description('Sign the public keys of servers: what a certificate says comes from the platform spec alone')
    .argument('<path...>', 'YAML or JSON files of the platform spec, or folders of them')
    .requiredOption(
      '--public-keys <path>',
      'what `salt "*" tideline.public_keys --out=json --static` printed, or a folder with a JSON file for each server',
    )
    .requiredOption('--authorities <folder>', 'the authorities, CLUSTER/PURPOSE.crt and .key; it belongs on no server')
    .requiredOption('--passphrase-file <file>', 'the passphrase of the keys of the authorities, on its first line')
    .requiredOption(
      '--out <folder>',
      'the folder of `tideline fleet compile --out`, which puts the certificates into the documents',
    )
    .option(
      '--create-authorities',
      'make the authorities and secrets that are not there; only at the start of a cluster',
    )
    .option('--yes', 'do it; without, it is only shown');
  addOutputOption(command)
    .addHelpText(
      'after',
      `
What is signed stays until there is a reason: another key, another content in the spec, another authority, or less than a third of its time
left. The key of tokens and the keys of encryption of a cluster lie sealed beside its authorities, and are written to secrets/ for the servers
that need them. Exits with 1 when something that is wanted cannot be signed. The way of keys and certificates: docs/operations/fleet.md`,
    )
    .action(run);
}

async function run(paths: string[], options: SignArguments): Promise<void> {
  const { isCompiled } = await import('../../planes/fleet/folder.ts');
  const sign = () => signing(paths, options);
  // A folder that is none of ours has no run that could be disturbed.
  if (options.yes === true && (await isCompiled(options.out))) await holding(options.out, sign);
  else await sign();
}

async function signing(paths: readonly string[], options: SignArguments): Promise<void> {
  const { createAuthority, newAuthority, openAuthorities, readPassphrase } = await import(
    '../../planes/fleet/pki/authorities.ts'
  );
  const { readPublicKeys, writeSigned } = await import('../../planes/fleet/pki/folder.ts');
  const { provideSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
  const nowMs = Date.now();
  const passphrase = await readPassphrase(options.passphraseFile);
  const { pkiPlan, documents } = await compilePaths(paths);
  const names = authorityNames({ pkiPlan });
  const open = () => openAuthorities(options.authorities, names, passphrase, nowMs);
  let authorities = await open();
  const absent = names.filter((name) => !authorities.has(name));
  const write = options.yes === true;
  if (options.createAuthorities === true) {
    if (write) for (const name of absent) await createAuthority(options.authorities, name, passphrase, nowMs);
    authorities = write
      ? await open()
      : new Map([...authorities, ...absent.map((name) => [name, newAuthority(name, nowMs)] as const)]);
  }
  const publicKeys = await readPublicKeys(options.publicKeys);
  const { signing: signed, before, after } = await signedInto(options.out, { pkiPlan }, publicKeys, authorities);
  const secrets = await provideSecrets({
    safe: options.authorities,
    passphrase,
    out: options.out,
    documents,
    create: options.createAuthorities === true,
    write,
  });
  const files = write ? (await writeSigned(options.out, before, after)) + secrets.changed.length : 0;
  const made = options.createAuthorities === true ? absent : [];
  await printResult(options.output, {
    lines: () => [
      ...made.map((name) => `${write ? 'made' : 'would make'} the authority ${name}`),
      ...secretLines(secrets, write),
      ...linesOf(signed, write),
      write ? `${files} files written` : 'nothing was written; add --yes to do it',
    ],
    value: () => ({
      written: write,
      authorities: made,
      secrets,
      signed: signed.signed.map(({ server, path, reason }) => ({ server, path, reason })),
      refused: signed.refused,
    }),
  });
  if (signed.refused.length > 0) process.exitCode = 1;
}

/** Names only: what a secret is stands in its file. */
function secretLines({ made, foreign, absent, changed }: SecretsOutcome, written: boolean): readonly string[] {
  return [
    ...made.map((cluster) => `${written ? 'made' : 'would make'} the secrets of ${cluster}`),
    ...foreign.map((cluster) => `kept the secrets of ${cluster} that stand in secrets/: they were not made here`),
    ...absent.map((cluster) => `${cluster} has no secrets here: --create-authorities makes them`),
    ...(changed.length === 0 ? [] : [`${written ? 'wrote' : 'would write'} the secrets of ${few(changed)}`]),
  ];
}

/** By reason; servers alike share a line. */
function linesOf({ signed, refused }: Signing, written: boolean): readonly string[] {
  const counted = (some: readonly { readonly server: string; readonly reason: string }[], verb: string) =>
    [...Map.groupBy(some, ({ reason }) => reason)].map(([reason, group]) => {
      const servers = [...new Set(group.map(({ server }) => server))];
      return `${verb} ${group.length} (${reason}): ${few(servers)}`;
    });
  if (signed.length + refused.length === 0) return ['every certificate is as it should be'];
  return [...counted(signed, written ? 'signed' : 'would sign'), ...counted(refused, 'refused')];
}
