import { z } from 'zod';
import { type Authority, authoritiesIn } from './certificates.ts';

/** What a cluster says of who may ask an aggregated API: ConfigMap `kube-system/extension-apiserver-authentication`. */
export interface FrontProxy {
  /** Authorities of clients that come with a certificate of their own. */
  readonly clients: readonly Authority[];
  /** Authorities of the proxy that speaks for others; nobody else is believed to. */
  readonly proxies: readonly Authority[];
  /** Common names of that proxy; every one where it is empty. */
  readonly names: readonly string[];
  /** Names of headers, in small letters. */
  readonly user: readonly string[];
  readonly uid: readonly string[];
  readonly groups: readonly string[];
  readonly extra: readonly string[];
}

const list = z
  .string()
  .default('[]')
  .transform((text, context): readonly string[] => {
    try {
      return z.array(z.string()).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: 'custom', message: 'expected a JSON array of strings' });
      return z.NEVER;
    }
  });

const Data = z.object({
  data: z.object({
    'client-ca-file': z.string().default(''),
    'requestheader-client-ca-file': z.string().default(''),
    'requestheader-allowed-names': list,
    'requestheader-username-headers': list,
    'requestheader-uid-headers': list,
    'requestheader-group-headers': list,
    'requestheader-extra-headers-prefix': list,
  }),
});

/** Reads the ConfigMap. Throws where it has another form, or names no authority at all: then nobody could be believed. */
export function frontProxyOf(configMap: unknown): FrontProxy {
  const { data } = Data.parse(configMap);
  const small = (key: keyof typeof data): readonly string[] =>
    (data[key] as readonly string[]).map((name) => name.toLowerCase());
  const found = {
    clients: authoritiesIn(data['client-ca-file']),
    proxies: authoritiesIn(data['requestheader-client-ca-file']),
    names: data['requestheader-allowed-names'],
    user: small('requestheader-username-headers'),
    uid: small('requestheader-uid-headers'),
    groups: small('requestheader-group-headers'),
    extra: small('requestheader-extra-headers-prefix'),
  };
  if (found.clients.length === 0 && found.proxies.length === 0)
    throw new Error('it names no authority, neither of clients nor of the proxy of the API');
  return found;
}
