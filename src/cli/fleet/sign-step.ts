import type { CompiledFleet } from '../../planes/fleet/compile/compile.ts';
import type { StepHandlers } from '../../planes/fleet/run/handlers.ts';
import { authorityNames, type SafeOptions, signedInto } from './provide.ts';

export interface SignStepOptions {
  readonly folder: string;
  readonly safe: SafeOptions;
  /** The spec as it is now; throws RunOfOtherSpec when it is not that of the run. */
  readonly compileAsAgreed: () => Promise<CompiledFleet>;
  /** Writes the documents with what was signed. */
  readonly writeDocuments: () => Promise<void>;
}

/** The step in which servers hand in public keys and get certificates into their documents. */
export function signStep({
  folder,
  safe,
  compileAsAgreed,
  writeDocuments,
}: SignStepOptions): NonNullable<StepHandlers['sign']> {
  return async ({ servers }, { reach, signal, say }) => {
    const { openAuthorities, readPassphrase } = await import('../../planes/fleet/pki/authorities.ts');
    const { writeSigned } = await import('../../planes/fleet/pki/folder.ts');
    const { provideSecrets } = await import('../../planes/fleet/pki/secrets-folder.ts');
    const { publicKeysOf } = await import('../../planes/fleet/run/public-keys.ts');
    const passphrase = await readPassphrase(safe.passphraseFile);
    const compiled = await compileAsAgreed();
    const names = authorityNames(compiled);
    const authorities = await openAuthorities(safe.authorities, names, passphrase, Date.now());
    const { publicKeys, faults } = publicKeysOf(servers, await reach.call(servers, 'tideline.public_keys', {}, signal));
    const { signing, before, after } = await signedInto(folder, compiled, publicKeys, authorities);
    await writeSigned(folder, before, after);
    const { documents } = compiled;
    await provideSecrets({ safe: safe.authorities, passphrase, out: folder, documents, create: false, write: true });
    await writeDocuments();
    say(`signed ${signing.signed.length} certificates`);
    const own = new Set(servers);
    const refused = signing.refused.filter(({ server }) => own.has(server));
    return [
      ...faults,
      ...refused.map(({ server, path, reason }) => ({ server, message: `${path} is not signed (${reason})` })),
    ];
  };
}
