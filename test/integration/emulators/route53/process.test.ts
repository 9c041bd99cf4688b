import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { ListHostedZonesCommand } from '@aws-sdk/client-route-53';
import { expect, it } from 'vitest';
import { ask, startEmulatorProcess } from './emulator.ts';

it('throttles like the real one, and the SDK gets through by itself', async () => {
  const emulator = await startEmulatorProcess('--rate', '5', '--burst', '2');
  try {
    const impatient = emulator.client(1);
    const requests = Array.from({ length: 6 }, () => impatient.send(new ListHostedZonesCommand({})));
    const outcomes = await Promise.allSettled(requests);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }): unknown => reason);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    const throttling = { name: 'Throttling', message: 'Rate exceeded', $metadata: { httpStatusCode: 400 } };
    expect(refused[0]).toMatchObject(throttling);
    const patient = emulator.client(10);
    for (let n = 0; n < 3; n++) await patient.send(new ListHostedZonesCommand({}));
  } finally {
    expect(await emulator.stop()).toBe(0);
  }
});

it('ends at once on SIGTERM, with clients connected', async () => {
  const emulator = await startEmulatorProcess();
  const idle = [
    connect(emulator.dns.port, emulator.dns.host),
    connect(Number(new URL(emulator.api).port), '127.0.0.1'),
  ];
  for (const socket of idle) socket.on('error', () => undefined);
  await ask(emulator, 'www.video.example');
  const startedAt = performance.now();
  expect(await emulator.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  for (const socket of idle) socket.destroy();
});

it('answers hostile clients politely or not at all, and lives on', async () => {
  const emulator = await startEmulatorProcess('--rate', '0');
  try {
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=dummy' };
    const post = (path: string, body: string) => fetch(`${emulator.api}${path}`, { method: 'POST', headers, body });
    const bodies = [
      '',
      '<',
      '<a>'.repeat(5000),
      '\0\u0001',
      '<!DOCTYPE a [<!ENTITY b "&b;">]><a>&b;</a>',
      '<a>&undefined;</a>',
    ];
    for (const body of bodies) expect((await post('/2013-04-01/hostedzone', body)).status).toBe(400);
    expect((await post('/2013-04-01/hostedzone', 'x'.repeat(2 << 20))).status).toBe(400);
    for (const path of ['/', '//', '/%zz', '/2013-04-01/hostedzone/%2e%2e/rrset', '/2013-04-01/hostedzone/%00'])
      expect([400, 404]).toContain((await fetch(`${emulator.api}${path}`, { headers })).status);
    for (const message of [
      '\0',
      '\0\0',
      '\xff\xff'.repeat(100),
      'GET / HTTP/1.1\r\n\r\n',
      `\0\x0c${'\xff'.repeat(12)}`,
    ]) {
      const socket = connect(emulator.dns.port, emulator.dns.host);
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => {
        socket.end(Buffer.from(message, 'latin1'), resolve);
      });
      socket.destroy();
    }
    expect(await ask(emulator, 'www.video.example')).toMatchObject({ rcode: 'REFUSED' });
    expect(await emulator.status()).toMatchObject({ zones: [] });
  } finally {
    expect(await emulator.stop()).toBe(0);
  }
});

it('stays small', async () => {
  const emulator = await startEmulatorProcess('--rate', '0');
  try {
    for (let n = 0; n < 200; n++) await ask(emulator, 'www.video.example', 'A', '176.128.0.1');
    const status = await readFile(`/proc/${emulator.process.pid}/status`, 'utf8');
    const residentKb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
    expect(residentKb).toBeLessThan(150_000);
  } finally {
    await emulator.stop();
  }
});

it.each([
  [['--rate', 'much'], '--rate must be a number from 0 to 10000, not much'],
  [
    ['--api', 'localhost:80'],
    '--api needs ADDRESS:PORT, not localhost:80 (BadOption)\n    fix: write --api 127.0.0.1:8053',
  ],
  [['--dns', '127.0.0.1:99999'], '--dns needs ADDRESS:PORT'],
  [['--colour'], "Unknown option '--colour'"],
])('says what is wrong with %j, without a stack trace', async (args, message) => {
  const base = ['lab/daemons/route53/main.ts', '--api', '127.0.0.1:0', '--dns', '127.0.0.1:0'];
  const failure: unknown = await promisify(execFile)(process.execPath, [...base, ...args]).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  expect(failure).toMatchObject({ stderr: expect.not.stringMatching(/\n\s+at /) });
});
