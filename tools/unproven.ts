import { resolve4 } from 'node:dns/promises';
import { parseArgs } from 'node:util';
import { GetHostedZoneCommand, ListHostedZonesByNameCommand, Route53Client } from '@aws-sdk/client-route-53';
import { TestZone } from './unproven/account.ts';
import { questions } from './unproven/questions.ts';
import { renderSettled, settleAll } from './unproven/settle.ts';

/** Settles on an account what docs/reference/route53-unproven.md lists: `make unproven ZONE=test.example DEAD=ADDRESS:PORT YES=1`. */
const usage = `Settles on a real account what Route 53's documentation does not say (docs/reference/route53-unproven.md).

  tools/unproven.ts --zone ZONE --dead ADDRESS:PORT [--endpoint URL] [--name-server ADDRESS:PORT] [--yes]

--zone         a public hosted zone for tests, which must exist
--dead         an address of yours that checkers may probe, and a port there where nothing listens
--endpoint     another API than Amazon's, such as the lab's emulator: its answers are its author's assumptions
--name-server  ask this one (default: those of the zone's delegation set)
--yes          do it; without it only what would be done is said

Credentials come from the SDK's default chain.`;

const { values: given } = parseArgs({
  options: {
    zone: { type: 'string' },
    dead: { type: 'string' },
    endpoint: { type: 'string' },
    'name-server': { type: 'string' },
    yes: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const [zone, dead] = [given.zone?.replace(/\.$/, ''), placeOf(given.dead)];
  if (zone === undefined || dead === undefined) {
    console.error(usage);
    return 2;
  }
  console.log(`It writes records below tideline-unproven.${zone} and makes one health check of ${given.dead} at a time, ${questions.length} questions one after
the other, in about 15 minutes, and removes all of it. Route 53's list price for it: a health check of an endpoint outside of AWS
costs $0.75 a month, for the part of the month in which it exists; a few hundred queries cost less than a cent.`);
  if (!given.yes) {
    console.log('Nothing was done; add --yes.');
    return 0;
  }
  const client = new Route53Client({
    region: 'us-east-1',
    maxAttempts: 8,
    ...(given.endpoint === undefined ? {} : { endpoint: given.endpoint }),
  });
  const found = await findZone(client, zone);
  const server = placeOf(given['name-server']);
  const nameServers = server === undefined ? await Promise.all(found.names.map(resolved)) : [server];
  const limits = { pollMs: 2000, watchMs: 90_000, limitMs: 600_000 };
  const test = new TestZone({ client, zone, zoneId: found.zoneId, nameServers, dead, ...limits });
  if (given.endpoint !== undefined)
    console.log(`What ${given.endpoint} answers says nothing of Route 53, unless it is Route 53's own address.`);
  const settled = await settleAll(test, (id) => console.error(`${id} ...`));
  for (const line of renderSettled(settled)) console.log(line);
  return settled.every(({ answer, assumed }) => answer === assumed) ? 0 : 1;
}

async function findZone(client: Route53Client, zone: string) {
  const { HostedZones = [] } = await client.send(new ListHostedZonesByNameCommand({ DNSName: `${zone}.` }));
  const ids = HostedZones.filter(({ Name, Config }) => Name === `${zone}.` && Config?.PrivateZone !== true);
  const [Id, ...others] = ids.flatMap((one) => one.Id ?? []);
  if (Id === undefined || others.length > 0)
    throw new Error(`the account has ${ids.length} public hosted zones ${zone}; it takes exactly one`);
  const { DelegationSet } = await client.send(new GetHostedZoneCommand({ Id }));
  return { zoneId: Id.replace(/^\/hostedzone\//, ''), names: DelegationSet?.NameServers ?? [] };
}

async function resolved(name: string) {
  const [address] = await resolve4(name);
  if (address === undefined) throw new Error(`${name} has no address; name one with --name-server`);
  return { address, port: 53 };
}

function placeOf(text: string | undefined) {
  const [, address, port] = /^([\d.]+):(\d{1,5})$/.exec(text ?? '') ?? [];
  return address === undefined ? undefined : { address, port: Number(port) };
}

process.exitCode = await main();
