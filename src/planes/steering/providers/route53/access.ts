import { withoutUndefined } from '../../../../model/values.ts';
import type { ConnectionOptions, ProviderAccess } from '../provider.ts';
import type { Route53Options } from './client.ts';
import type { Route53WriterOptions } from './write.ts';

/** The client is loaded when it is used, so that a command that only needs the options stays small. */
export const route53Access: ProviderAccess = {
  variables: { required: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'], optional: ['AWS_SESSION_TOKEN'] },
  url: { flags: '--route53-endpoint <url>', description: "another Route 53 than Amazon's" },
  async reader(connection) {
    const { readOnlyRoute53Client } = await import('./client.ts');
    const { route53Reader } = await import('./read.ts');
    return route53Reader(readOnlyRoute53Client(optionsOf(connection)), timingOf(connection));
  },
  async provider(connection) {
    const { route53Client } = await import('./client.ts');
    const { route53 } = await import('./write.ts');
    return route53(route53Client(optionsOf(connection)), timingOf(connection));
  },
};

function optionsOf({ url, variables }: ConnectionOptions): Route53Options {
  return {
    credentials: {
      accessKeyId: variables.get('AWS_ACCESS_KEY_ID') ?? '',
      secretAccessKey: variables.get('AWS_SECRET_ACCESS_KEY') ?? '',
      ...withoutUndefined({ sessionToken: variables.get('AWS_SESSION_TOKEN') }),
    },
    ...withoutUndefined({ endpoint: url }),
  };
}

/** Amazon allows about five calls a second; a change takes about a minute to reach every name server. */
function timingOf({ clock, random }: ConnectionOptions): Route53WriterOptions {
  return { clock, random, firstMs: 250, ceilingMs: 8000, limitMs: 120_000, pollMs: 1000, inSyncLimitMs: 300_000 };
}
