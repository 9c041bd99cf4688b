import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChangeResourceRecordSetsCommand, type Route53Client } from '@aws-sdk/client-route-53';
import { createZone } from '../../support/steering/emulator.ts';
import { processorMs, residentMiB } from '../support/processes.ts';
import { zone } from './platform.ts';

/** The name and address of each of so many records of others. */
export function otherRecords(count: number): readonly { readonly name: string; readonly address: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `other-${index}.${zone}`,
    address: `192.0.2.${index % 250}`,
  }));
}

/** Makes the zone, with so many records of others. */
export async function fill(client: Route53Client, count: number): Promise<void> {
  const HostedZoneId = await createZone(client, zone);
  const records = otherRecords(count);
  for (let from = 0; from < records.length; from += 999) {
    const Changes = records.slice(from, from + 999).map(({ name, address }) => ({
      Action: 'CREATE' as const,
      ResourceRecordSet: { Name: `${name}.`, Type: 'A' as const, TTL: 60, ResourceRecords: [{ Value: address }] },
    }));
    await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
    await sleep(20);
  }
}

/** What one run of a command took, from its start to its end. */
export interface Measured {
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMiB: number;
}

/** Runs a command with these variables as well; rejects unless it ends with 0. */
export async function measure(command: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<Measured> {
  const begin = performance.now();
  const child = spawn(command, [...words], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  let last: Omit<Measured, 'seconds'> = { processorSeconds: Number.NaN, peakMiB: Number.NaN };
  for (;;) {
    const ended = await Promise.race([code, sleep(10)]);
    if (ended === 0) return { seconds: (performance.now() - begin) / 1000, ...last };
    if (ended !== undefined) throw new Error(`${command} ${words.join(' ')} ended with ${ended}: ${said}`);
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
