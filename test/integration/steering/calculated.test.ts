import {
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  type HealthCheckConfig,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { planStep } from '../../../src/planes/steering/plan/plan.ts';
import type { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53Reader } from '../../../src/planes/steering/providers/route53/read.ts';
import { clientOf, createZone, testEmulator, timing } from '../../support/steering/emulator.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { eventually, examplePlatform, Vips } from '../../support/steering/world.ts';

/** A host of somebody else, whose records use a calculated health check: Route 53 tells of it nothing, and of the checks that it is made of what they see. */
const zone = 'video.example';
const host = 'www.video.example';
const vips = new Vips();
let emulator: Emulator;
let client: ReturnType<typeof route53Client>;

beforeAll(async () => {
  await vips.start();
  emulator = await testEmulator({ insyncDelayMs: 0, checkers: 2 });
  client = clientOf(emulator);
  const HostedZoneId = await createZone(client, zone);
  const create = async (reference: string, config: Partial<HealthCheckConfig>): Promise<string> => {
    const HealthCheckConfig = { Type: 'HTTP', ...config } as HealthCheckConfig;
    const command = new CreateHealthCheckCommand({ CallerReference: reference, HealthCheckConfig });
    return (await client.send(command)).HealthCheck?.Id ?? '';
  };
  const endpoint = { Port: 80, ResourcePath: '/.well-known/tideline/health/video', RequestInterval: 10 } as const;
  const children: string[] = [];
  for (const [cluster, IPAddress] of Object.entries(vips.addresses))
    children.push(await create(cluster, { ...endpoint, IPAddress, FailureThreshold: 1 }));
  const calculated = await create('two of three', {
    Type: 'CALCULATED',
    ChildHealthChecks: children,
    HealthThreshold: 2,
  });
  const common = { Name: host, Type: 'A', TTL: 30 } as const;
  const value = (cluster: string) => ({ ResourceRecords: [{ Value: vips.addresses[cluster] }] });
  const failover = { Failover: 'PRIMARY', HealthCheckId: calculated } as const;
  const Changes = [
    { ...common, ...value('paris'), SetIdentifier: 'first', ...failover },
    { ...common, ...value('cloud'), SetIdentifier: 'second', Failover: 'SECONDARY' as const },
  ].map((ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet }));
  await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
});

afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
  await vips.stop();
});

test.each([
  [['newyork'], 'paris', 'it counts as healthy'],
  [['newyork', 'cloud'], 'cloud', 'it counts as failing'],
])(
  'while %j fail the name server answers %s, and the plan of an adoption says that %s',
  async (failed, answer, says) => {
    vips.fail(...failed);
    const platform = await examplePlatform();
    const reader = route53Reader(client, timing);
    await eventually(async () => {
      const plan = await planStep(platform, reader, { zone, purpose: { kind: 'adopt', host } }, 0);
      const text = plan.notices.map(({ message }) => message).join('\n');
      if (!text.includes(`which wants 2 of 3 other checks healthy: ${says}`)) return text;
      const got = await resolveFor(emulator.dns, host, undefined);
      return got.join() === vips.addresses[answer] ? undefined : `the name server answers ${got.join()}`;
    });
  },
);
