import { GetAccountLimitCommand, GetHostedZoneLimitCommand, type Route53Client } from '@aws-sdk/client-route-53';
import type { CountingCheck } from '../../compile/counting.ts';
import type { HealthCheck } from '../../compile/entries.ts';
import type { Quotas } from '../../records/quota.ts';
import type { UsedOfAccount } from '../provider.ts';
import { type RetryOptions, retrying } from './retry.ts';

/**
 * List prices in US dollars: of a health check of an endpoint outside AWS, and of one that counts others, a month; of a million queries that are
 * answered by country, or by networks, up to a thousand million a month. Amazon changes them without notice.
 */
const dollars = { check: 0.75, option: 2, counting: 0.5, byCountry: 0.7, byNetwork: 0.8 };

/** A quota that is not told within this time is not known. */
const limitMs = 10_000;

/** Resolves with undefined when the account may not ask for its limits, or nobody answers: a plan then says so. */
export async function readQuotas(
  client: Route53Client,
  retry: RetryOptions,
  HostedZoneId: string,
  { checks, networks }: UsedOfAccount,
): Promise<Quotas | undefined> {
  const options = { ...retry, limitMs: Math.min(limitMs, retry.limitMs) };
  try {
    const account = await retrying(options, () =>
      client.send(new GetAccountLimitCommand({ Type: 'MAX_HEALTH_CHECKS_BY_OWNER' })),
    );
    const zone = await retrying(options, () =>
      client.send(new GetHostedZoneLimitCommand({ HostedZoneId, Type: 'MAX_RRSETS_BY_ZONE' })),
    );
    const [mostChecks, mostRecords] = [account.Limit?.Value, zone.Limit?.Value];
    if (mostChecks === undefined || mostRecords === undefined) return undefined;
    return {
      healthChecks: { limit: mostChecks, count: account.Count ?? 0 },
      records: { limit: mostRecords, count: zone.Count ?? 0 },
      dollarsPerMonth: checks.reduce((sum, check) => sum + dollarsOf(check), 0),
      dollarsPerMillionQueries: networks ? dollars.byNetwork : dollars.byCountry,
    };
  } catch {
    return undefined;
  }
}

/** HTTPS, the search for a text and the short interval are options that cost extra. A check that counts others has none of them. */
function dollarsOf(check: HealthCheck | CountingCheck): number {
  if ('children' in check) return dollars.counting;
  const { protocol, searchString, intervalSeconds } = check;
  const options = [protocol === 'HTTPS', searchString !== undefined, intervalSeconds === 10].filter(Boolean).length;
  return dollars.check + options * dollars.option;
}
