import {
  type ChangeAction,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { startEmulator } from '../../../lab/emulators/route53/emulator.ts';
import { countryOf } from '../../../src/geo/lookup.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { retrying } from '../../../src/planes/steering/providers/route53/retry.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { describeProvider } from '../../support/steering/conformance.ts';

const timing = {
  clock: systemClock,
  random: Math.random,
  firstMs: 100,
  ceilingMs: 1000,
  limitMs: 30_000,
  pollMs: 50,
  inSyncLimitMs: 10_000,
};

describeProvider('Route 53', async () => {
  const emulator = await startEmulator({
    api: { host: '127.0.0.1', port: 0 },
    dns: { host: '127.0.0.1', port: 0 },
    timeCompression: 50,
    insyncDelayMs: 200,
    rate: 5,
    burst: 5,
    checkers: 3,
    allowPrivateEndpoints: true,
    countryOf,
    clock: systemClock,
    log: silentLog,
  });
  const client = route53Client({
    endpoint: emulator.apiUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const created = await client.send(new CreateHostedZoneCommand({ Name: 'video.example', CallerReference: 'test' }));
  const HostedZoneId = created.HostedZone?.Id;
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
