import { z } from 'zod';
import { type Prefix, parseAddress, parsePrefix } from '../address.ts';

/** Field types that the kinds share. Each parses its text into a resolved value once. */

export const Name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a DNS label: lower-case letters, digits and dashes, at most 63')
  .meta({ maxLength: 63 });

/** The name of a server in Kubernetes: of a Node it may have dots, as a fully qualified host name has. */
export const NodeName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    'a name in lower case: letters, digits, dashes and dots, as Kubernetes takes it for a Node',
  );

/**
 * Some text for people or programs, on one line: it is shown to others, and control characters would obey or forge there. Its
 * length is counted in characters (code points), as the API server does.
 */
export function text(longest: number) {
  return z
    .string()
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'one line of text without control characters')
    .check(({ value, issues }) => {
      const found = { origin: 'string', inclusive: true, input: value } as const;
      if (value === '') issues.push({ ...found, code: 'too_small', minimum: 1 });
      if (Array.from(value).length > longest) issues.push({ ...found, code: 'too_big', maximum: longest });
    })
    .meta({ minLength: 1, maxLength: longest });
}

/**
 * True for texts that every program reads as the same address: groups of at most four digits, and no IPv4 address
 * inside an IPv6 one.
 */
function isUnambiguous(address: string): boolean {
  const mapped = /^::ffff:[0-9a-f]+:[0-9a-f]+$/.test(parseAddress(address)?.text ?? '');
  return !mapped && !/[0-9a-f]{5}/i.test(address) && !/:.*\./.test(address);
}

export const IpAddress = z
  .string()
  .meta({ format: 'ip', maxLength: 45 })
  .transform((text, context) => {
    const address = isUnambiguous(text) ? parseAddress(text) : undefined;
    if (address === undefined) {
      context.addIssue({ code: 'custom', message: 'an IPv4 or IPv6 address', params: { reason: 'BadAddress' } });
      return z.NEVER;
    }
    return address;
  });

function prefixIn(text: string): Prefix | undefined {
  const [address = '', ...length] = text.split('/');
  return length.length > 0 && isUnambiguous(address) ? parsePrefix(text) : undefined;
}

export const IpPrefix = z
  .string()
  .meta({ format: 'cidr', maxLength: 49 })
  .transform((text, context) => {
    const prefix = prefixIn(text);
    if (prefix === undefined) {
      const message = 'a prefix such as 10.0.0.0/16 with no host bits set';
      context.addIssue({ code: 'custom', message, params: { reason: 'BadPrefix' } });
      return z.NEVER;
    }
    return prefix;
  });

/** A network of clients, in canonical text form: it is a place as a country is, which has a code. Later checks tell whether it can be told apart. */
export const ClientNetwork = z
  .string()
  .meta({ format: 'network', maxLength: 49 })
  .transform((text, context) => {
    const prefix = prefixIn(text);
    if (prefix !== undefined) return prefix.text;
    const message = 'a prefix such as 192.0.2.0/24 with no host bits set';
    context.addIssue({ code: 'custom', message, params: { reason: 'BadPrefix' } });
    return z.NEVER;
  });

export const AsNumber = z.int().min(1).max(4_294_967_294);
export const Port = z.int().min(1).max(65_535);

/** A DNS name in lower case, without the trailing dot. */
export const DnsName = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'a DNS name in lower case, without a trailing dot',
  );

/** A DNS name, or `*.` and a DNS name: every name below it that has no records (RFC 4592). */
export const HostName = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'a DNS name in lower case, without a trailing dot, or `*.` and such a name',
  );

/** A country code. A later check tells whether there is such a country, with a better message. */
export const CountryCode = z
  .string()
  .regex(/^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code in capitals, e.g. FR')
  .meta({ format: 'country', maxLength: 2 });

/** The code of a country or of a part of one. A later check tells whether answers can be given for it, with a better message. */
export const PlaceCode = z
  .string()
  .regex(/^[A-Z]{2}(-[A-Z0-9]{1,2})?$/, 'the code of a country or of a state of the US in capitals, e.g. FR or US-CA')
  .meta({ format: 'place', maxLength: 5 });
export const ContinentCode = z.enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']);

const labelName = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)$/;
const labelDomain = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** True for `name` and `domain/name`, the forms that Kubernetes takes as keys of labels and annotations. */
function isQualifiedName(key: string): boolean {
  const [name = '', domain, ...rest] = key.split('/').reverse();
  return rest.length === 0 && labelName.test(name) && (domain === undefined || labelDomain.test(domain));
}

/** A mapping of qualified names to texts; `allows` says which values Kubernetes takes. */
function labels(allows: (value: string, key: string) => boolean, expected: string) {
  return z.record(z.string(), z.string()).check((context) => {
    for (const [key, value] of Object.entries(context.value)) {
      if (isQualifiedName(key) && allows(value, key)) continue;
      const path = [key];
      context.issues.push({ code: 'invalid_format', format: 'label', path, input: value, message: expected });
    }
  });
}

export const Metadata = z.strictObject({
  name: Name,
  labels: labels(
    (value) => value === '' || labelName.test(value),
    'a label as Kubernetes takes it: [DOMAIN/]NAME, name and value at most 63 letters, digits, dashes, dots and underscores',
  ).optional(),
  annotations: labels(() => true, 'an annotation as Kubernetes takes it: its key is [DOMAIN/]NAME').optional(),
});
