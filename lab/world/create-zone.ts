import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';

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
const deadline = performance.now() + 10_000;
for (;;) {
  try {
    await client.send(new CreateHostedZoneCommand({ Name: zone, CallerReference: `lab-${zone}` }));
    break;
  } catch (error) {
    if (performance.now() > deadline) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
client.destroy();
