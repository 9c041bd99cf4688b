import type { ProviderName } from '../dialects/dialect.ts';
import { powerDnsAccess } from './powerdns/access.ts';
import type { ProviderAccess } from './provider.ts';
import { route53Access } from './route53/access.ts';

/** One line a provider; the compiler asks for the line of each name that the spec allows. */
export const providers: Readonly<Record<ProviderName, ProviderAccess>> = {
  route53: route53Access,
  powerdns: powerDnsAccess,
};
