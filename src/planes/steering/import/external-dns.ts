/**
 * The registry of external-dns: a TXT record beside each record that it owns, with who wrote it and for which object. Written from its documentation of
 * the TXT registry: the older form stands at the name of the record itself, the newer one at that name with the type before it
 * (`cname-www`, `aaaa-www`; `a-www` as well). An encrypted registry cannot be read, and is taken for any other TXT record.
 */
export interface Heritage {
  readonly owner: string;
  /** `ingress/namespace/name`. */
  readonly resource: string | undefined;
}

/** What a TXT value says, in or without its quotes; undefined when it is of something else. */
export function heritageOf(value: string): Heritage | undefined {
  const text = value.replaceAll(/^"|"$/g, '');
  if (!/^heritage=external-dns(?:,|$)/.test(text)) return undefined;
  const fields = new Map(
    text.split(',').flatMap((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [] : [[part.slice(0, at), part.slice(at + 1)] as const];
    }),
  );
  const owner = fields.get('external-dns/owner') ?? '';
  return { owner: owner.slice(0, 100), resource: fields.get('external-dns/resource')?.slice(0, 300) };
}

const typedName = /^(a|aaaa|cname)-(.+)$/;

/**
 * The host that a registry record is beside, by which names have addresses: in the newer form without the type before it, also where the
 * name begins with a wildcard that external-dns wrote out (`a-*.video.example`).
 */
export function hostOfRegistry(name: string, hasAddresses: (host: string) => boolean): string | undefined {
  const [, , host] = typedName.exec(name) ?? [];
  if (host !== undefined && hasAddresses(host)) return host;
  return hasAddresses(name) ? name : undefined;
}
