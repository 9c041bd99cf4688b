import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const program = `
  import { waitForShutdown } from './src/runtime/shutdown.ts';
  const alive = setInterval(() => {}, 1000);
  const asked = waitForShutdown();
  console.log('ready');
  console.log(await asked);
  if (process.argv[1] !== 'hang') clearInterval(alive);
`;

async function start(mode: string) {
  const child = spawn(
    process.execPath,
    ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', program, mode],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  child.stdout.setEncoding('utf8');
  const lines: string[] = [];
  child.stdout.on('data', (text: string) => lines.push(...text.trim().split('\n')));
  await once(child.stdout, 'data');
  return { child, lines };
}

it('resolves with the signal, and the process ends by itself', async () => {
  const { child, lines } = await start('end');
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect([code, lines]).toEqual([0, ['ready', 'SIGTERM']]);
});

it('ends at once on the second signal', async () => {
  const { child } = await start('hang');
  child.kill('SIGINT');
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).toBe(130);
});
