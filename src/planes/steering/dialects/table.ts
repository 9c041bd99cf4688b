import type { Dialect, ProviderName } from './dialect.ts';
import { powerDnsDialect } from './powerdns/dialect.ts';
import { route53Dialect } from './route53/dialect.ts';

/** One line for each provider; the type check demands a line for each name that the spec allows. */
export const dialects: Readonly<Record<ProviderName, Dialect>> = {
  powerdns: powerDnsDialect,
  route53: route53Dialect,
};
