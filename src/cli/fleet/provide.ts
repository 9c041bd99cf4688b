import { InputError } from '../../model/problem.ts';
import { compareText } from '../../model/values.ts';
import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';
import type { OpenAuthority, Pems } from '../../planes/fleet/pki/sign.ts';
import type { Run } from '../../planes/fleet/run/steps.ts';

/** The folder of the authorities, and whether what a new cluster needs is made in it. */
export interface SafeOptions {
  readonly authorities: string;
  readonly passphraseFile: string;
  readonly createAuthorities?: true;
}

/** The names of the authorities that certificates are signed by, those of all servers or of some. */
export function authorityNames(
  { pkiPlan }: Pick<CompiledFleet, 'pkiPlan'>,
  servers: readonly string[] = Object.keys(pkiPlan),
): readonly string[] {
  const names = servers.flatMap((server) => (pkiPlan[server] ?? []).map(({ authority }) => authority));
  return [...new Set(names)].sort(compareText);
}

export function noAuthority(folder: string, name: string): InputError {
  return new InputError({
    reason: 'AuthorityUnreadable',
    file: folder,
    message: `there is no authority ${name}`,
    fix: 'of a cluster that is new they are made by --create-authorities',
  });
}

/** What is signed of these public keys, and what the folder of documents holds afterwards. Nothing is written. */
export async function signedInto(
  folder: string,
  { pkiPlan }: Pick<CompiledFleet, 'pkiPlan'>,
  publicKeys: ReadonlyMap<string, Pems>,
  authorities: ReadonlyMap<string, OpenAuthority>,
) {
  const { readSigned } = await import('../../planes/fleet/pki/folder.ts');
  const { signAll } = await import('../../planes/fleet/pki/sign.ts');
  const before = await readSigned(folder);
  const planned = new Map(Object.entries(pkiPlan));
  const signing = signAll({ planned, publicKeys, present: before.certificates, authorities, nowMs: Date.now() });
  const signedBy = Object.fromEntries([...authorities].map(([name, { trusted }]) => [name, trusted]));
  const after = { certificates: signing.certificates, authorities: { ...before.authorities, ...signedBy } };
  return { signing, before, after };
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
 * `createAuthorities` the authorities and secrets of a cluster that is new. Returns a line for each thing that was made. Throws where a step of the run
 * would find no authority to sign by: that is known before a server is touched.
 */
export async function provideBeforeRun(
  folder: string,
  compiled: CompiledFleet,
  run: Run,
  options: SafeOptions,
): Promise<readonly string[]> {
  const { openAuthorities, readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
  const { provideSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
  const { authorities: safe, passphraseFile } = options;
  const passphrase = await readPassphrase(passphraseFile);
  const create = options.createAuthorities === true;
  const authorities = create ? await makeAuthorities(options, authorityNames(compiled), passphrase) : [];
  const signed = run.waves.flatMap(({ steps }) => steps.flatMap((step) => (step.do === 'sign' ? step.servers : [])));
  const names = authorityNames(compiled, signed);
  const there = await openAuthorities(safe, names, passphrase, Date.now());
  const [absent] = names.filter((name) => !there.has(name));
  if (absent !== undefined) throw noAuthority(safe, absent);
  const { documents } = compiled;
  const secrets = await provideSecrets({ safe, passphrase, out: folder, documents, create, write: true });
  return [
    ...authorities.map((name) => `made the authority ${name}`),
    ...secrets.made.map((cluster) => `made the secrets of ${cluster}`),
  ];
}
