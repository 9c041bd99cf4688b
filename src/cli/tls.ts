import { InputError } from '../model/problem.ts';
import type { AgentAccess } from '../runtime/tls/line.ts';
import type { TlsFiles } from '../runtime/tls/material.ts';

/** The options of `addTlsOptions`. */
export interface TlsArguments {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  /** Default `required`. */
  readonly tlsMode?: 'required' | 'grace';
}

/** The files that the options name; undefined when they name none. Throws InputError when some are missing. */
export function tlsFilesOf({ tlsCert = '', tlsKey = '', tlsCa = '', tlsMode }: TlsArguments): TlsFiles | undefined {
  const options = { '--tls-cert': tlsCert, '--tls-key': tlsKey, '--tls-ca': tlsCa };
  const missing = Object.entries(options).flatMap(([option, value]) => (value === '' ? [option] : []));
  if (missing.length === 0) return { cert: tlsCert, key: tlsKey, ca: tlsCa };
  if (missing.length === 3 && tlsMode === undefined) return undefined;
  throw new InputError({
    reason: 'OptionAlone',
    path: missing.join(', '),
    message: `certificates need three files, and ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    expected:
      'all of --tls-cert, --tls-key and --tls-ca (TIDELINE_TLS_CERT, TIDELINE_TLS_KEY, TIDELINE_TLS_CA), or none',
    fix: 'name the missing files, or leave all of them out, --tls-mode too',
  });
}

/** The certificate by which a command asks agents; undefined when none is named. Throws InputError when it cannot be used. */
export async function accessOf(options: TlsArguments): Promise<AgentAccess | undefined> {
  const files = tlsFilesOf(options);
  if (files === undefined) return undefined;
  const { readTlsFiles, UnusableTlsFiles } = await import('../runtime/tls/material.ts');
  try {
    const material = await readTlsFiles(files);
    return { material: () => material, grace: options.tlsMode === 'grace' };
  } catch (error) {
    if (!(error instanceof UnusableTlsFiles)) throw error;
    throw new InputError({
      reason: 'TlsFilesUnusable',
      message: error.message,
      fix: 'name a certificate, its own key and the CA, in PEM, that you may read',
    });
  }
}
