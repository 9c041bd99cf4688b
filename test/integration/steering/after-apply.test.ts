import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from 'dns-packet';
import { expect, test } from 'vitest';
import type { SteeringStatus } from '../../../src/model/steering-status.ts';
import type { PastDecision } from '../../../src/observe/history.ts';
import { eventually } from '../../support/eventually.ts';
import { dnsOf, runTideline } from '../../support/steering/command.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';

test('the agent asks every name server after its apply, names one that answers as before, and notices when it follows', {
  timeout: 120_000,
}, async () => {
  const emulator = await testEmulator({ insyncDelayMs: 100 });
  const client = clientOf(emulator);
  await createZone(client, 'video.example');
  client.destroy();
  let isLate = true;
  const late = createSocket('udp4').on('message', (message, from) => {
    const { id = 0, questions = [] } = decode(message);
    if (isLate) {
      const answers = questions.map(({ name }) => ({ type: 'A' as const, name, data: '192.0.2.10' }));
      late.send(encode({ type: 'response', id, questions, answers }), from.port, from.address);
      return;
    }
    const onward = createSocket('udp4').once('message', (answer) => {
      late.send(answer, from.port, from.address);
      onward.close();
    });
    onward.send(message, emulator.dns.port, emulator.dns.host);
  });
  await new Promise<void>((done) => late.bind(0, '127.0.0.1', done));
  const folder = await mkdtemp(join(tmpdir(), 'tideline-after-'));
  await cp('examples/hybrid', join(folder, 'platform'), { recursive: true });
  const words = ['steering', 'agent', '--platform', join(folder, 'platform'), '--provider', 'route53', '--every', '5'];
  const rest = ['--mode', 'automatic', '--run-dir', join(folder, 'run'), '--metrics-address', '127.0.0.1:0'];
  const name = `127.0.0.1:${late.address().port}`;
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    TIDELINE_NAME_SERVERS: `${dnsOf(emulator)},${name}`,
  };
  const endpoint = ['--route53-endpoint', emulator.apiUrl, '--ask-seconds', '1'];
  const child = spawn('bin/tideline', [...words, ...rest, ...endpoint], { env });
  try {
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        log += String(chunk);
      });
    const patience = { timeoutMs: 60_000, everyMs: 50, show: () => log };
    const url = await eventually('it listens', () => /"endpoint":"(http:[^"]+)"/.exec(log)?.[1], patience);
    const zone = async () => ((await (await fetch(`${url}/status`)).json()) as SteeringStatus).zones[0];
    const said = await eventually('it is named', async () => (await zone())?.conditions[0]?.message, patience);
    expect(said).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1 port ${late.address().port}: answers AD for www\\.video\\.example A with paris \\(192\\.0\\.2\\.10\\); the plan says cloud`,
      ),
    );
    expect(await zone()).toMatchObject({
      state: 'inForce',
      generation: 1,
      conditions: [{ reason: 'AnsweredOtherwise' }],
    });
    const history = async () => (await fetch(`${url}/history?since=0`)).text();
    await eventually('it is written down', async () => (await history()).includes('DnsUnanswered'), patience);
    isLate = false;
    await eventually('it follows', async () => (await zone())?.conditions.length === 0, patience);
    await eventually('that is, too', async () => (await history()).includes('DnsAnswered'), patience);
    const at = url.replace('http://', '');
    const asking = ['history', join(folder, 'platform'), '--steering', at, '-o', 'json'];
    const merged = await runTideline({ TIDELINE_HISTORY: join(folder, 'none.jsonl') }, asking);
    const { decisions } = JSON.parse(merged.out) as { decisions: readonly PastDecision[] };
    expect(decisions.map(({ what }) => what)).toEqual(expect.arrayContaining(['DnsApplied', 'DnsUnanswered']));
    expect(decisions[0]).toMatchObject({ server: at, agent: 'steering' });
  } finally {
    child.kill('SIGKILL');
    late.close();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
