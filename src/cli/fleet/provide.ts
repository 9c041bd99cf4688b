import { compareText } from '../../model/values.ts';
import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';

/** The folder of the authorities, and whether what a new cluster needs is made in it. */
export interface SafeOptions {
  readonly authorities: string;
  readonly passphraseFile: string;
  readonly createAuthorities?: true;
}

/** The names of the authorities that certificates of these servers are signed by. */
export function authorityNames({ pkiPlan }: Pick<CompiledFleet, 'pkiPlan'>): readonly string[] {
  const names = Object.values(pkiPlan).flatMap((planned) => planned.map(({ authority }) => authority));
  return [...new Set(names)].sort(compareText);
}

/** Makes the authorities of these names that are not there; returns the names of those that it made. */
export async function makeAuthorities(
  { authorities: safe }: Pick<SafeOptions, 'authorities'>,
  names: readonly string[],
  passphrase: string,
): Promise<readonly string[]> {
  const { createAuthority, openAuthorities } = await import('../../planes/fleet/pki/authorities.ts');
  const nowMs = Date.now();
  const there = await openAuthorities(safe, names, passphrase, nowMs);
  const made = names.filter((name) => !there.has(name));
  for (const name of made) await createAuthority(safe, name, passphrase, nowMs);
  return made;
}

/**
 * What must be there before the first step of a run: the secrets of servers, without which not even their keys are made, and with
 * `createAuthorities` the authorities and secrets of a cluster that is new. Returns a line for each thing that was made.
 */
export async function provideBeforeRun(
  folder: string,
  compiled: CompiledFleet,
  options: SafeOptions,
): Promise<readonly string[]> {
  const { readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
  const { provideSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
  const { authorities: safe, passphraseFile } = options;
  const passphrase = await readPassphrase(passphraseFile);
  const create = options.createAuthorities === true;
  const authorities = create ? await makeAuthorities(options, authorityNames(compiled), passphrase) : [];
  const { documents } = compiled;
  const secrets = await provideSecrets({ safe, passphrase, out: folder, documents, create, write: true });
  return [
    ...authorities.map((name) => `made the authority ${name}`),
    ...secrets.made.map((cluster) => `made the secrets of ${cluster}`),
  ];
}
