import { Route53Client } from '@aws-sdk/client-route-53';
import { withoutUndefined } from '../../../../model/values.ts';
import { SteeringError } from '../../reasons.ts';

export interface Route53Options {
  /** Address of the API; absent for Amazon's own. */
  readonly endpoint?: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** A client that tries each call once: we retry ourselves, because only we know which calls may be repeated. */
export function route53Client(options: Route53Options): Route53Client {
  return new Route53Client({
    region: 'us-east-1',
    credentials: options.credentials,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 5000, requestTimeout: 15_000 },
    ...withoutUndefined({ endpoint: options.endpoint }),
  });
}

/** A client whose transport refuses, before it leaves this process, every request that could write. */
export function readOnlyRoute53Client(options: Route53Options): Route53Client {
  const client = route53Client(options);
  client.middlewareStack.add(
    (next) => (args) => {
      const method = methodOf(args.request);
      if (method !== 'GET') throw new SteeringError('ReadOnly', `a plan tried to send a ${method} request`);
      return next(args);
    },
    { step: 'finalizeRequest', name: 'readOnly', priority: 'low' },
  );
  return client;
}

function methodOf(request: unknown): string {
  const method: unknown = typeof request === 'object' && request !== null && 'method' in request ? request.method : '';
  return typeof method === 'string' ? method : '';
}
