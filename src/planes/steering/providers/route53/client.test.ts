import { GetChangeCommand } from '@aws-sdk/client-route-53';
import { expect, test } from 'vitest';
import { readOnlyRoute53Client } from './client.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Where a client would send a request, and for which region it signs it; nothing is sent. */
async function destination(region: string | undefined): Promise<string> {
  const client = readOnlyRoute53Client({ credentials, ...(region === undefined ? {} : { region }) });
  let seen = '';
  client.middlewareStack.add(
    () => (args) => {
      const { hostname, headers } = args.request as {
        readonly hostname: string;
        readonly headers: Record<string, string>;
      };
      const scope = /Credential=test\/\d+\/([^/]+)\//.exec(headers['authorization'] ?? '')?.[1];
      seen = `${hostname} ${scope}`;
      throw new Error('not sent');
    },
    { step: 'finalizeRequest', name: 'capture', priority: 'low' },
  );
  await client.send(new GetChangeCommand({ Id: 'C1' })).catch(() => undefined);
  client.destroy();
  return seen;
}

test.each([
  [undefined, 'route53.amazonaws.com us-east-1'],
  ['eu-west-3', 'route53.amazonaws.com us-east-1'],
  ['cn-north-1', 'route53.amazonaws.com.cn cn-northwest-1'],
  ['us-gov-east-1', 'route53.us-gov.amazonaws.com us-gov-west-1'],
])('the region %s leads to the Route 53 of its partition', async (region, expected) => {
  expect(await destination(region)).toBe(expected);
});
