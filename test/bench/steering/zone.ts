import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeResourceRecordSetsCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';
import { processorMs, residentMiB } from '../support/processes.ts';
import { atMost, type Bench, figure } from '../support/row.ts';
import { hosts, policy, withPlatform, zone } from './platform.ts';

const records = 9990;
const tideline = join(import.meta.dirname, '../../../bin/tideline');

/**
 * Measures the command `tideline steering plan`, from its start to its end, with a Route 53 zone of 10,000 records of others in the
 * emulator, which answers without limits of its rate: 34 pages, in a process of its own.
 */
export const steeringZone: Bench = {
  name: 'steering-zone',
  async run(reportProgress) {
    const emulator = await testEmulator({ insyncDelayMs: 0, countryOf: () => undefined });
    try {
      reportProgress(`filling a zone with ${records} records`);
      const client = clientOf(emulator);
      await fill(client);
      client.destroy();
      reportProgress('tideline steering plan, three times');
      const measured = await withPlatform([policy('video', hosts(100))], async (folder) => {
        const all: Measured[] = [];
        for (let run = 0; run < 3; run += 1) all.push(await planOnce(folder, emulator.apiUrl));
        return all.toSorted((a, b) => a.seconds - b.seconds)[1];
      });
      if (measured === undefined) throw new Error('nothing was measured');
      const what = 'tideline steering plan, 100 hosts of one policy, a zone of 10,000 records of others';
      return [
        atMost(what, measured.seconds, 3, 's'),
        { what: 'its processor time', measured: figure(measured.processorSeconds, 's') },
        atMost('its most memory (RSS)', measured.peakMiB, 200, 'MiB'),
      ];
    } finally {
      await emulator.stop();
    }
  },
};

async function fill(client: Route53Client): Promise<void> {
  const HostedZoneId = await createZone(client, zone);
  const names = Array.from({ length: records }, (_, index) => `other-${index}.${zone}.`);
  for (let from = 0; from < names.length; from += 999) {
    const Changes = names.slice(from, from + 999).map((Name, index) => ({
      Action: 'CREATE' as const,
      ResourceRecordSet: { Name, Type: 'A' as const, TTL: 60, ResourceRecords: [{ Value: `192.0.2.${index % 250}` }] },
    }));
    const change = new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } });
    await client.send(change);
    await sleep(20);
  }
}

interface Measured {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMiB: number;
}

async function planOnce(folder: string, url: string): Promise<Measured> {
  const begin = performance.now();
  const child = spawn(tideline, ['steering', 'plan', folder, '--route53-endpoint', url], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let last: Omit<Measured, 'seconds'> = { processorSeconds: Number.NaN, peakMiB: Number.NaN };
  for (;;) {
    const ended = await Promise.race([code, sleep(10)]);
    if (ended === 0) return { seconds: (performance.now() - begin) / 1000, ...last };
    if (ended !== undefined) throw new Error(`tideline steering plan ended with ${ended}`);
    last = (await usageOf(child.pid ?? 0)) ?? last;
  }
}

/** Undefined when the process has ended. */
async function usageOf(pid: number): Promise<Omit<Measured, 'seconds'> | undefined> {
  try {
    const [processor, { peak }] = await Promise.all([processorMs(pid), residentMiB(pid)]);
    return Number.isNaN(peak) ? undefined : { processorSeconds: processor / 1000, peakMiB: peak };
  } catch {
    return undefined;
  }
}
