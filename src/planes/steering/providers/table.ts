import type { ProviderName } from '../dialects/dialect.ts';
import { powerDnsAccess } from './powerdns/access.ts';
import type { ProviderAccess } from './provider.ts';
import { route53Access } from './route53/access.ts';

/** One line for each provider; the type check demands a line for each name that the spec allows. */
export const providers: Readonly<Record<ProviderName, ProviderAccess>> = {
  route53: route53Access,
  powerdns: powerDnsAccess,
};
