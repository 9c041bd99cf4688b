import {
  type ChangeAction,
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { retrying } from '../../../src/planes/steering/providers/route53/retry.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { describeProvider } from '../../support/steering/conformance.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';

const timing = {
  clock: systemClock,
  random: Math.random,
  firstMs: 100,
  ceilingMs: 1000,
  limitMs: 30_000,
  pollMs: 50,
  statusMs: 20,
  inSyncLimitMs: 10_000,
  blindSyncMs: 300,
};

describeProvider('Route 53', async () => {
  const emulator = await testEmulator({ insyncDelayMs: 200, rate: 5, burst: 5, checkers: 3 });
  const client = clientOf(emulator);
  const HostedZoneId = await createZone(client, 'video.example');
  const send = async (Action: ChangeAction, ResourceRecordSet: ResourceRecordSet): Promise<void> => {
    const ChangeBatch = { Changes: [{ Action, ResourceRecordSet }] };
    await retrying(timing, () => client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch })));
  };
  const change = (Action: ChangeAction, Name: string, Value: string): Promise<void> =>
    send(Action, { Name, Type: 'A', TTL: 60, ResourceRecords: [{ Value }] });
  return {
    async disturb() {
      const list = new ListResourceRecordSetsCommand({ HostedZoneId });
      const { ResourceRecordSets = [] } = await retrying(timing, () => client.send(list));
      const leaf = ResourceRecordSets.find(({ Weight }) => Weight !== undefined && Weight > 0);
      if (leaf === undefined) throw new Error('no weighted record');
      await send('UPSERT', { ...leaf, Weight: 9, TTL: 7 });
    },
    provider: route53(client, timing),
    dns: emulator.dns,
    putAddress: (name, address) => change('CREATE', name, address),
    removeAddress: (name, address) => change('DELETE', name, address),
    async stop() {
      client.destroy();
      await emulator.stop();
    },
  };
});
