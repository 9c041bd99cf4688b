import type { StepHandlers } from '../../planes/fleet/run/handlers.ts';
import { compileInto, compilePaths } from './compiled.ts';
import { authorityNames, type SafeOptions } from './provide.ts';

/** The step in which servers hand in public keys and get certificates into their documents. */
export function signStep(
  paths: readonly string[],
  folder: string,
  { authorities: safe, passphraseFile }: SafeOptions,
): NonNullable<StepHandlers['sign']> {
  return async ({ servers }, { reach, signal, say }) => {
    const { openAuthorities, readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
    const { readSigned, writeSigned } = await import('../../planes/fleet/pki/folder.ts');
    const { provideSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
    const { signAll } = await import('../../planes/fleet/pki/sign.ts');
    const { writeFolder } = await import('../../planes/fleet/folder.ts');
    const { publicKeysOf } = await import('../../planes/fleet/run/public-keys.ts');
    const nowMs = Date.now();
    const passphrase = await readPassphrase(passphraseFile);
    const { pkiPlan, documents } = await compilePaths(paths);
    const authorities = await openAuthorities(safe, authorityNames({ pkiPlan }), passphrase, nowMs);
    const { publicKeys, faults } = publicKeysOf(servers, await reach.call(servers, 'tideline.public_keys', {}, signal));
    const before = await readSigned(folder);
    const planned = new Map(Object.entries(pkiPlan));
    const signing = signAll({ planned, publicKeys, present: before.certificates, authorities, nowMs });
    const signedBy = Object.fromEntries([...authorities].map(([name, { trusted }]) => [name, trusted]));
    await writeSigned(folder, before, {
      certificates: signing.certificates,
      authorities: { ...before.authorities, ...signedBy },
    });
    await provideSecrets({ safe, passphrase, out: folder, documents, create: false, write: true });
    await writeFolder(folder, await compileInto(folder, paths));
    say(`signed ${signing.signed.length} certificates`);
    const own = new Set(servers);
    const refused = signing.refused.filter(({ server }) => own.has(server));
    return [
      ...faults,
      ...refused.map(({ server, path, reason }) => ({ server, message: `${path} is not signed (${reason})` })),
    ];
  };
}
