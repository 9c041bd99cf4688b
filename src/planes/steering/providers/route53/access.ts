import type { Route53Client } from '@aws-sdk/client-route-53';
import { messageOf, withoutUndefined } from '../../../../model/values.ts';
import { badInput } from '../../reasons.ts';
import type { ConnectionOptions, ProviderAccess } from '../provider.ts';
import type { AwsCredentials, Route53Options } from './client.ts';
import { limiterOf } from './limiter.ts';
import type { Route53WriterOptions } from './write.ts';

/** The client is loaded when it is used, so that a command that only needs the options stays small. */
export const route53Access: ProviderAccess = {
  // None is required: the SDK has a chain of other sources (profiles, single sign-on, roles, instance metadata).
  variables: {
    required: [],
    optional: [
      'AWS_PROFILE',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
    ],
  },
  url: { flags: '--route53-endpoint <url>', description: "another Route 53 than Amazon's" },
  async reader(connection) {
    const { readOnlyRoute53Client } = await import('./client.ts');
    const { route53Reader } = await import('./read.ts');
    const client = readOnlyRoute53Client(optionsOf(connection));
    await requireCredentials(client);
    return route53Reader(client, timingOf(connection));
  },
  async provider(connection) {
    const { route53Client } = await import('./client.ts');
    const { route53 } = await import('./write.ts');
    const client = route53Client(optionsOf(connection));
    await requireCredentials(client);
    return route53(client, timingOf(connection));
  },
};

function optionsOf({ url, variables, gate, clock }: ConnectionOptions): Route53Options {
  const region = variables.get('AWS_REGION') ?? variables.get('AWS_DEFAULT_REGION');
  return withoutUndefined({
    endpoint: url,
    credentials: credentialsOf(variables),
    gate,
    region,
    limiter: limiterOf(clock),
  });
}

/** Those of the environment, as the SDK would take them: a profile that is named comes first. */
function credentialsOf(variables: ConnectionOptions['variables']): AwsCredentials | undefined {
  const accessKeyId = variables.get('AWS_ACCESS_KEY_ID');
  const secretAccessKey = variables.get('AWS_SECRET_ACCESS_KEY');
  if (variables.has('AWS_PROFILE') || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    ...withoutUndefined({ sessionToken: variables.get('AWS_SESSION_TOKEN') }),
  };
}

/** Looks for credentials before the first call, which would be repeated for minutes without them. */
async function requireCredentials(client: Route53Client): Promise<void> {
  await client.config.credentials().catch((error: unknown) => {
    throw badInput(
      'MissingCredentials',
      `no credentials for route53: ${messageOf(error)}`,
      'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with AWS_PROFILE, or leave the provider out with --provider',
    );
  });
}

/** Amazon allows about five calls a second; a change takes about a minute to reach every name server. */
function timingOf({ clock, random, patienceMs, onRetry, onWait }: ConnectionOptions): Route53WriterOptions {
  const limits = {
    firstMs: 250,
    ceilingMs: 8000,
    limitMs: patienceMs ?? 120_000,
    pollMs: 1000,
    statusMs: 1000,
    inSyncLimitMs: 300_000,
    blindSyncMs: 60_000,
  };
  return { clock, random, ...limits, ...withoutUndefined({ onRetry, onWait }) };
}
