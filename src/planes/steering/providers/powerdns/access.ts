import { withoutUndefined } from '../../../../model/values.ts';
import type { ConnectionOptions, ProviderAccess } from '../provider.ts';
import type { PowerDnsOptions } from './client.ts';

const preset = 'http://127.0.0.1:8081';
const key = 'POWERDNS_API_KEY';

/** The client is loaded when it is used, so that a command that only needs the options stays small. */
export const powerDnsAccess: ProviderAccess = {
  variables: { required: [key], optional: [] },
  url: { flags: '--powerdns-url <url>', variable: 'POWERDNS_API_URL', description: "PowerDNS's HTTP API", preset },
  async reader(connection) {
    const { powerDnsReader } = await import('./client.ts');
    return powerDnsReader(optionsOf(connection));
  },
  async provider(connection) {
    const { powerDns } = await import('./write.ts');
    const { clock, random } = connection;
    return powerDns({ ...optionsOf(connection), clock, random });
  },
};

function optionsOf({ url = preset, variables, gate }: ConnectionOptions): PowerDnsOptions {
  return { url, apiKey: variables.get(key) ?? '', ...withoutUndefined({ gate }) };
}
