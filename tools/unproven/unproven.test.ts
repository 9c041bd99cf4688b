import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import {
  CreateHealthCheckCommand,
  ListHealthChecksCommand,
  ListResourceRecordSetsCommand,
} from '@aws-sdk/client-route-53';
import { expect, test } from 'vitest';
import { clientOf, createZone, testEmulator } from '../../test/support/steering/emulator.ts';
import { TestZone } from './account.ts';
import { questions } from './questions.ts';
import { renderSettled, settleAll } from './settle.ts';

const page = readFileSync('docs/reference/route53-unproven.md', 'utf8');

test('the page lists every question with the answer that is assumed', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| .* \| ([^|]+) \| [^|]+ \|$/gm)];
  expect(rows.map(([, id, assumed]) => [id, assumed])).toEqual(questions.map(({ id, assumed }) => [id, assumed]));
});

/** A port of this machine on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

test('the emulator answers what is assumed, and nothing is left of the run', async () => {
  const emulator = await testEmulator({ valueOrder: 'reversed' });
  const client = clientOf(emulator);
  try {
    const zoneId = (await createZone(client, 'test.example')).replace(/^\/hostedzone\//, '');
    const theirs = { Type: 'HTTP' as const, IPAddress: '192.0.2.99', Port: 80, ResourcePath: '/' };
    await client.send(new CreateHealthCheckCommand({ CallerReference: 'somebody else', HealthCheckConfig: theirs }));
    const { ResourceRecordSets: before } = await client.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }),
    );
    const zone = new TestZone({
      client,
      zone: 'test.example',
      zoneId,
      nameServers: [{ address: emulator.dns.host, port: emulator.dns.port }],
      dead: { address: '127.0.0.1', port: await closedPort() },
      pollMs: 50,
      watchMs: 1500,
      limitMs: 60_000,
    });
    const settled = await settleAll(zone, () => {});
    expect(renderSettled(settled).filter((line) => line.startsWith('  ') && !line.startsWith('  as assumed'))).toEqual(
      [],
    );
    const { ResourceRecordSets: after } = await client.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }),
    );
    expect(after).toEqual(before);
    const { HealthChecks = [] } = await client.send(new ListHealthChecksCommand({}));
    expect(HealthChecks.map(({ CallerReference }) => CallerReference)).toEqual(['somebody else']);
  } finally {
    client.destroy();
    await emulator.stop();
  }
});

const run = promisify(execFile);
const script = ['--disable-warning=ExperimentalWarning', 'tools/unproven.ts'];

test('without --yes it says what it would do and what it costs, and does nothing', async () => {
  const args = [...script, '--zone', 'test.example', '--dead', '127.0.0.1:9', '--endpoint', 'http://127.0.0.1:1'];
  const { stdout } = await run(process.execPath, args);
  expect(stdout).toMatch(/\$0\.75 a month[^]*Nothing was done; add --yes\.\n$/);
  await expect(run(process.execPath, script)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--zone/),
  });
});
