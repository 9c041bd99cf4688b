import type { Dialect, ProviderName } from './dialect.ts';
import { powerDnsDialect } from './powerdns/dialect.ts';
import { route53Dialect } from './route53/dialect.ts';

/** One line a provider; the compiler asks for the line of each name that the spec allows. */
export const dialects: Readonly<Record<ProviderName, Dialect>> = {
  powerdns: powerDnsDialect,
  route53: route53Dialect,
};
