import { join } from 'node:path';
import { clientOf, testEmulator } from '../../support/steering/emulator.ts';
import { atMost, type Bench, figure } from '../support/row.ts';
import { fill, type Measured, measure } from './measured.ts';
import { hosts, policy, withPlatform } from './platform.ts';

const records = 9990;
/** A raised quota: with those of the hosts there are more than the 10,000 that a zone may have without asking. */
const recordQuota = 40_000;
const keys = { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' };
const tideline = join(import.meta.dirname, '../../../bin/tideline');

/**
 * Measures the command `tideline steering plan`, from its start to its end, with a Route 53 zone of 10,000 records of others in the
 * emulator, which answers without limits of its rate: 34 pages, in a process of its own.
 */
export const steeringZone: Bench = {
  name: 'steering-zone',
  async run(reportProgress) {
    const emulator = await testEmulator({ insyncDelayMs: 0, recordQuota, countryOf: () => undefined });
    try {
      reportProgress(`filling a zone with ${records} records`);
      const client = clientOf(emulator);
      await fill(client, records);
      client.destroy();
      reportProgress('tideline steering plan, three times');
      const measured = await withPlatform([policy('video', hosts(100))], async (folder) => {
        const all: Measured[] = [];
        for (let run = 0; run < 3; run += 1)
          all.push(await measure(tideline, ['steering', 'plan', folder, '--route53-endpoint', emulator.apiUrl], keys));
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
