import type { ProviderAccess, Reach } from '../provider.ts';
import type { PowerDnsOptions } from './client.ts';

const preset = 'http://127.0.0.1:8081';
const key = 'POWERDNS_API_KEY';

/** The client is loaded when it is used, so that a command that knows its options only stays small. */
export const powerDnsAccess: ProviderAccess = {
  variables: { required: [key], optional: [] },
  url: { flags: '--powerdns-url <url>', description: "PowerDNS's HTTP API", preset },
  async reader(reach) {
    const { powerDnsReader } = await import('./client.ts');
    return powerDnsReader(optionsOf(reach));
  },
  async provider(reach) {
    const { powerDns } = await import('./client.ts');
    return powerDns(optionsOf(reach));
  },
};

function optionsOf({ url = preset, variables }: Reach): PowerDnsOptions {
  return { url, apiKey: variables.get(key) ?? '' };
}
