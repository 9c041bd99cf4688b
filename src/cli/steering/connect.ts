import { type Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../../model/problem.ts';
import { withoutUndefined } from '../../model/values.ts';
import type { ZoneProvider, ZoneReader } from '../../planes/steering/providers/provider.ts';
import type { Route53Options } from '../../planes/steering/providers/route53/client.ts';

export interface ProviderOptions {
  readonly provider: 'route53' | 'powerdns' | 'all';
  readonly route53Endpoint?: string;
  readonly powerdnsUrl: string;
  readonly output: 'text' | 'json';
}

/** The options that `plan` and `apply` share. Secrets come from the environment only. */
export function addProviderOptions(command: Command): Command {
  return command
    .addOption(new Option('--provider <name>', 'only this one').choices(['route53', 'powerdns', 'all']).default('all'))
    .option('--route53-endpoint <url>', "another Route 53 than Amazon's", parseUrl)
    .option('--powerdns-url <url>', "PowerDNS's HTTP API", parseUrl, 'http://127.0.0.1:8081')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      '\nEnvironment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; POWERDNS_API_KEY',
    );
}

/** A reader whose transport cannot write. */
export async function connectReader(name: 'route53' | 'powerdns', options: ProviderOptions): Promise<ZoneReader> {
  if (name === 'powerdns') {
    const { powerDnsReader } = await import('../../planes/steering/providers/powerdns.ts');
    return powerDnsReader({ url: options.powerdnsUrl, apiKey: powerDnsKey() });
  }
  const { readOnlyRoute53Client } = await import('../../planes/steering/providers/route53/client.ts');
  const { route53Reader } = await import('../../planes/steering/providers/route53/read.ts');
  return route53Reader(readOnlyRoute53Client(route53Options(options)), await timing());
}

export async function connectProvider(name: 'route53' | 'powerdns', options: ProviderOptions): Promise<ZoneProvider> {
  if (name === 'powerdns') {
    const { powerDns } = await import('../../planes/steering/providers/powerdns.ts');
    return powerDns({ url: options.powerdnsUrl, apiKey: powerDnsKey() });
  }
  const { route53Client } = await import('../../planes/steering/providers/route53/client.ts');
  const { route53 } = await import('../../planes/steering/providers/route53/write.ts');
  return route53(route53Client(route53Options(options)), await timing());
}

/** Amazon allows about five calls a second; a change takes about a minute to reach every name server. */
async function timing() {
  const { systemClock } = await import('../../runtime/clock.ts');
  return {
    clock: systemClock,
    random: Math.random,
    firstMs: 250,
    ceilingMs: 8000,
    limitMs: 120_000,
    pollMs: 1000,
    inSyncLimitMs: 300_000,
  };
}

function route53Options(options: ProviderOptions): Route53Options {
  const accessKeyId = process.env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = process.env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = process.env['AWS_SESSION_TOKEN'];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw missing('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY', 'route53');
  }
  const credentials = { accessKeyId, secretAccessKey, ...withoutUndefined({ sessionToken }) };
  return {
    credentials,
    ...withoutUndefined({ endpoint: options.route53Endpoint }),
  };
}

function powerDnsKey(): string {
  const key = process.env['POWERDNS_API_KEY'];
  if (key === undefined) throw missing('POWERDNS_API_KEY', 'powerdns');
  return key;
}

function missing(variable: string, provider: string): InputError {
  return new InputError([
    {
      reason: 'MissingCredentials',
      message: `the provider ${provider} needs ${variable} in the environment`,
      fix: `set it, or leave the provider out with --provider`,
    },
  ]);
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('Expected http://host:port.');
  return text;
}
