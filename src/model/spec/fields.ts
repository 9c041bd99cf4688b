import { z } from 'zod';
import { parseAddress, parsePrefix } from '../address.ts';

/** Field types that the kinds share. Each parses the text once into a resolved value. */

export const Name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a DNS label: lower-case letters, digits and dashes, at most 63');

export const IpAddress = z
  .string()
  .meta({ format: 'ip' })
  .transform((text, context) => {
    const address = parseAddress(text);
    if (address === undefined) {
      context.addIssue({ code: 'custom', message: 'an IPv4 or IPv6 address', params: { reason: 'BadAddress' } });
      return z.NEVER;
    }
    return address;
  });

export const IpPrefix = z
  .string()
  .meta({ format: 'cidr' })
  .transform((text, context) => {
    const prefix = text.includes('/') ? parsePrefix(text) : undefined;
    if (prefix === undefined) {
      const message = 'a prefix such as 10.0.0.0/16 with no host bits set';
      context.addIssue({ code: 'custom', message, params: { reason: 'BadPrefix' } });
      return z.NEVER;
    }
    return prefix;
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

/** Whether there is such a country is checked later, with a better message. */
export const CountryCode = z.string().regex(/^[A-Z]{2}$/, 'an ISO 3166-1 alpha-2 code in capitals, e.g. FR');
export const ContinentCode = z.enum(['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA']);

export const Metadata = z.strictObject({
  name: Name,
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
