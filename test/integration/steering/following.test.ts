import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import type { Snapshot } from '../../../src/observe/snapshot.ts';
import { compileCache } from '../../support/compile-cache.ts';
import { promised } from '../../support/promised.ts';
import { clientOf, createZone, testEmulator } from '../../support/steering/emulator.ts';

/** `tideline status` asks real name servers whether users are led away from what is drained. */
let emulator: Emulator;
let silent: Socket;
let folder: string;

beforeAll(async () => {
  emulator = await testEmulator({ insyncDelayMs: 100 });
  const client = clientOf(emulator);
  await createZone(client, 'video.example');
  client.destroy();
  silent = createSocket('udp4');
  await new Promise<void>((done) => silent.bind(0, '127.0.0.1', done));
  folder = await mkdtemp(join(tmpdir(), 'tideline-following-'));
  await cp('examples/hybrid', folder, { recursive: true });
  await apply();
  await writeFile(
    join(folder, 'drain.yaml'),
    `apiVersion: tideline.dev/v1alpha1
kind: Drain
metadata: { name: works }
spec: { target: { kind: Cluster, name: paris }, reason: works, expires: "${new Date(Date.now() + 3_600_000).toISOString()}" }
`,
  );
}, 120_000);

afterAll(async () => {
  silent?.close();
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Result {
  readonly code: number;
  readonly out: string;
}

function tideline(nameServers: readonly number[], ...words: readonly string[]): Promise<Result> {
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: compileCache,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    TIDELINE_HISTORY: join(folder, 'history.jsonl'),
    TIDELINE_NAME_SERVERS: nameServers.map((port) => `127.0.0.1:${port}`).join(','),
  };
  return new Promise((resolve) => {
    const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...words];
    execFile(process.execPath, command, { env }, (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout });
    });
  });
}

async function apply(): Promise<void> {
  const on = [folder, '--provider', 'route53', '--route53-endpoint', emulator.apiUrl];
  const { out } = await tideline([], 'steering', 'plan', ...on);
  const checksum = /^plan ([0-9a-f]{16})$/m.exec(out)?.[1] ?? 'none';
  const words = ['--plan', checksum, '--approve-share', '1', '--approve-failover', '1', '--no-ask'];
  expect((await tideline([], 'steering', 'apply', ...on, ...words)).out).toContain('answers');
}

/** What status says of the Drain, to programs. */
async function said(...nameServers: readonly number[]): Promise<string | undefined> {
  const { out } = await tideline(nameServers, 'status', folder, '-o', 'json');
  return (JSON.parse(out) as Snapshot).drains[0]?.dns;
}

test('status says who is still led to a drained cluster, and after the apply that they are led elsewhere', async () => {
  const { port } = emulator.dns;
  expect(await said(port)).toMatch(
    /^follows at the next apply: [A-Z]{2} for www\.video\.example is still led to paris by 127\.0\.0\.1 port \d+$/,
  );
  const { out } = await tideline([port], 'status', folder);
  expect(out).toMatch(/Cluster\/paris is drained until .*; DNS: follows at the next apply: .* still led to paris/);
  await apply();
  expect(await said(port)).toMatch(/^[A-Z]{2} for www\.video\.example is led elsewhere now \(1 name server asked\)$/);
}, 120_000);

test('a silent name server is named, and holds up status no longer than a silent agent', async () => {
  const { port } = emulator.dns;
  expect(await said(silent.address().port, port)).toMatch(
    /led elsewhere now \(1 name server asked; not known: .* does not answer/,
  );
  const begunMs = Date.now();
  const { out } = await tideline([silent.address().port], 'status', folder);
  expect(out).toMatch(/; DNS: whether [A-Z]{2} for www\.video\.example is led away is not known: .* does not answer/);
  expect(Date.now() - begunMs).toBeLessThan(promised(10_000));
}, 120_000);
