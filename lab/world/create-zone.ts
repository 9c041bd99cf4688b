import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { messageOf } from '../../src/model/values.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { stillMissing } from '../missing.ts';

/** Creates a hosted zone through the official SDK: `create-zone.ts ENDPOINT ZONE`. Waits for the API for ten seconds. */
const [endpoint = '', zone = ''] = process.argv.slice(2);
const client = new Route53Client({
  region: 'us-east-1',
  endpoint,
  credentials: {
    accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? '',
  },
  maxAttempts: 1,
});
const missing = await stillMissing(
  () =>
    client.send(new CreateHostedZoneCommand({ Name: zone, CallerReference: `lab-${zone}` })).then(
      () => undefined,
      (error: unknown) => messageOf(error),
    ),
  { clock: systemClock, timeoutMs: 10_000, everyMs: 50 },
);
if (missing !== undefined) throw new Error(`${endpoint} does not create the zone ${zone}: ${missing}`);
client.destroy();
