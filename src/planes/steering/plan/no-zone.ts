import type { InputError } from '../../../model/problem.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { badInput } from '../reasons.ts';

/** That there is nothing to plan for a provider, or for any. */
export function noZone(provider: ProviderName | 'all'): InputError {
  if (provider === 'all') {
    return badInput(
      'NoPolicy',
      'no traffic policy in these files uses a DNS zone',
      'add a TrafficPolicy to the files, or name those that hold one; perhaps a file of them is missing',
    );
  }
  return badInput(
    'NoPolicy',
    `no traffic policy in these files uses the provider ${provider}`,
    `add ${provider} to spec.dns.providers of a TrafficPolicy, or leave --provider out`,
  );
}
