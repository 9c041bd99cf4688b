import { Readable } from 'node:stream';
import { Route53Client } from '@aws-sdk/client-route-53';
import { quoteAnswer } from '../../../../model/secrets.ts';
import { withoutUndefined } from '../../../../model/values.ts';
import { SteeringError } from '../../reasons.ts';
import { readText, xmlDepth } from '../answers.ts';
import type { Gate } from '../provider.ts';
import type { Limiter } from './limiter.ts';
import { isThrottling } from './retry.ts';

export interface Route53Options {
  /** Address of the API; absent for Amazon's own. */
  readonly endpoint?: string;
  /** Absent: those of the SDK's default chain (environment, profile, single sign-on, role). */
  readonly credentials?: AwsCredentials | undefined;
  /** A request that is not answered within this time is given up and may be repeated; 15 s by default. */
  readonly requestTimeoutMs?: number;
  /** Called before each attempt of each request. */
  readonly gate?: Gate;
  /** Absent where calls are not limited. */
  readonly limiter?: Limiter;
  /** Any region of the partition (`cn-north-1` for China); absent for Amazon's commercial one. */
  readonly region?: string;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A client that tries each call once: we retry ourselves, because only we know which calls may be repeated. */
export function route53Client(options: Route53Options): Route53Client {
  const client = new Route53Client({
    region: signingRegion(options.region),
    maxAttempts: 1,
    // Without `throwOnRequestTimeout` the SDK only warns, and waits for the answer for ever.
    requestHandler: {
      connectionTimeout: 5000,
      requestTimeout: options.requestTimeoutMs ?? 15_000,
      throwOnRequestTimeout: true,
    },
    ...withoutUndefined({ endpoint: options.endpoint, credentials: options.credentials }),
  });
  boundAnswers(client);
  hideSecrets(client);
  if (options.gate !== undefined) pass(client, options.gate);
  if (options.limiter !== undefined) limit(client, options.limiter);
  return client;
}

/** Route 53 is one service in each partition, whose requests are signed for one region, whatever region the caller works in. */
function signingRegion(region = ''): string {
  if (region.startsWith('cn-')) return 'cn-northwest-1';
  return region.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
}

/** Holds a call back until the limiter lets it go, before it is signed and its time counts. */
function limit(client: Route53Client, limiter: Limiter): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const call = String(context['commandName']).replace(/Command$/, '');
      await limiter.take(call);
      try {
        return await next(args);
      } catch (error) {
        if (isThrottling(error)) limiter.refused(call);
        throw error;
      }
    },
    { step: 'initialize', name: 'limiter', priority: 'low' },
  );
}

/** Lets no request out that the gate forbids. */
function pass(client: Route53Client, gate: Gate): void {
  client.middlewareStack.add(
    (next) => (args) => {
      gate(methodOf(args.request) === 'GET' ? 'read' : 'write');
      return next(args);
    },
    { step: 'finalizeRequest', name: 'gate', priority: 'low' },
  );
}

/** Errors quote what the server said, and it may have said what we sent. */
function hideSecrets(client: Route53Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error) {
          const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
          const secrets = [sessionToken, secretAccessKey, accessKeyId];
          error.message = quoteAnswer(error.message, secrets);
          error.name = quoteAnswer(error.name, secrets, 100);
        }
        throw error;
      }
    },
    { step: 'initialize', name: 'hideSecrets', priority: 'high' },
  );
}

/** The SDK collects an answer of any size, and its parser calls itself for each level of XML. */
function boundAnswers(client: Route53Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: unknown };
      if (response.body instanceof Readable) {
        const text = await readText(response.body, maxAnswerBytes);
        if (xmlDepth(text) > maxDepth)
          throw new SteeringError('AnswerTooLarge', `Route 53 answers XML with more than ${maxDepth} levels`);
        response.body = Readable.from([Buffer.from(text)]);
      }
      return result;
    },
    { step: 'deserialize', name: 'boundAnswers', priority: 'low' },
  );
}

/** A page of 300 record sets, each of at most 32,000 characters and their escapes, stays below it. */
const maxAnswerBytes = 64 << 20;
/** Answers of Route 53 have ten levels. */
const maxDepth = 64;

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
