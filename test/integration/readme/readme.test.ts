import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';

/**
 * Runs every command of README.md that stands in a ```sh block, in order and unchanged: agents until they answer, the lab while
 * the commands after it need it, all others to their end, with exit code 0 where nothing is wrong.
 */
const commands = shellCommands(await readFile('README.md', 'utf8'));

/** Commands that are not run here, each with the place where they are run. */
const elsewhere: Readonly<Record<string, string>> = {
  'make demo': 'test/integration/demo drives it on a terminal',
  'make demo ONCE=1': 'test/integration/demo',
  'make demo KUBERNETES=1 ONCE=1': 'test/clusters/demo.test.ts',
  'make demo FLEET=1 ONCE=1': 'test/fleet/demo.test.ts',
  'make test': 'it runs this test',
};

/** Commands that say by their exit code that something is wrong, because it is where they are run here. */
const failing: Readonly<Record<string, string>> = {
  'bin/tideline lab exec -- tideline status build/lab/platform': 'the command before it has killed a blade',
  'bin/tideline lab exec -- tideline why blade paris-blade-1 build/lab/platform': 'the blade is still dead',
  'bin/tideline status examples/hybrid': 'no agent of the example runs here',
  'bin/tideline why country FR examples/hybrid --if Cluster/paris=down': 'the same, and it is supposed to be down',
};

const folder = mkdtempSync(join(tmpdir(), 'tideline-readme-'));
const apiPort = 18053;
const dnsPort = 15353;
const environment = {
  ...process.env,
  AWS_ACCESS_KEY_ID: 'example',
  AWS_SECRET_ACCESS_KEY: 'example',
  AWS_ENDPOINT_URL_ROUTE_53: `http://127.0.0.1:${apiPort}`,
  TIDELINE_NAME_SERVERS: `127.0.0.1:${dnsPort}`,
};
const background: ChildProcess[] = [];

beforeAll(async () => {
  const emulator = [
    'lab/daemons/route53/main.ts',
    '--api',
    `127.0.0.1:${apiPort}`,
    '--dns',
    `127.0.0.1:${dnsPort}`,
    '--time-compression',
    '10',
  ];
  background.push(spawn(process.execPath, emulator, { stdio: 'ignore' }));
  await untilAnswers(`http://127.0.0.1:${apiPort}/emulator/status`);
  await createZone();
});

afterAll(async () => {
  for (const child of background) await end(child);
  // Agents leave routes and addresses in the kernel on purpose. They are removed because other tests share this namespace.
  await run('ip route flush proto 114; ip addr del 192.0.2.10/32 dev lo');
  rmSync(folder, { recursive: true });
});

describe('README commands', () => {
  it('has commands', () => {
    expect(commands.length).toBeGreaterThan(10);
    expect(Object.keys({ ...elsewhere, ...failing }).filter((command) => !commands.includes(command))).toEqual([]);
  });

  let checksum = '';
  for (const command of commands.filter((line) => !(line in elsewhere))) {
    it(command, async () => {
      if (command.includes(' agent ')) await runAgent(command);
      else if (command === 'bin/tideline lab up') await runLab(command);
      else {
        const { code, output } = await run(command.replace('CHECKSUM', checksum));
        expect([code, output]).toEqual([command in failing ? 1 : 0, output]);
        checksum = /^plan ([0-9a-f]+)$/m.exec(output)?.[1] ?? checksum;
      }
    }, 180_000);
  }
});

function shellCommands(text: string): readonly string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
}

async function run(command: string): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn('sh', ['-c', command], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

/** An agent runs until it is told to end; it answers on its endpoint meanwhile, and ends cleanly. */
async function runAgent(command: string): Promise<void> {
  const child = spawn('sh', ['-c', `exec ${command}`], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
  background.push(child);
  const port = /--metrics-address \S+:(\d+)/.exec(command)?.[1] ?? '9463';
  const status = JSON.parse(await untilAnswers(`http://127.0.0.1:${port}/status`)) as {
    readonly source: { readonly phase: string };
  };
  expect(status.source.phase).toMatch(/live|syncing/);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain('process_resident_memory_bytes');
  expect(await end(child)).toBe(0);
}

/** The lab stays up for the commands after it; the last of them is `lab down`. */
async function runLab(command: string): Promise<void> {
  const child = spawn('sh', ['-c', `exec ${command}`], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  background.push(child);
  let said = '';
  const served = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('every country is served')) resolve();
    });
    child.once('exit', () => reject(new Error(`the lab ended: ${said}`)));
  });
  await served;
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code] = (await exited) as [number | null];
  return code;
}

async function untilAnswers(url: string): Promise<string> {
  const ask = async (): Promise<string | false> => {
    const response = await fetch(url);
    return response.ok && response.text();
  };
  return eventually(`${url} answers`, ask, { timeoutMs: 30_000, everyMs: 100 });
}

async function createZone(): Promise<void> {
  const { CreateHostedZoneCommand, Route53Client } = await import('@aws-sdk/client-route-53');
  const client = new Route53Client({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${apiPort}`,
    credentials: { accessKeyId: 'example', secretAccessKey: 'example' },
  });
  await client.send(new CreateHostedZoneCommand({ Name: 'video.example', CallerReference: 'readme' }));
  client.destroy();
}
