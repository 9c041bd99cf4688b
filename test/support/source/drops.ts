import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const table = 'tideline_test_drops';

export type Direction = 'to the server' | 'from the server' | 'both ways';

/** Drops every incoming packet from or to this TCP port, without a reset or an answer. Needs a network namespace of the test. */
export async function dropPackets(port: number, direction: Direction): Promise<void> {
  const rules = [
    ...(direction === 'from the server' ? [] : [`tcp dport ${port} drop`]),
    ...(direction === 'to the server' ? [] : [`tcp sport ${port} drop`]),
  ];
  const chain = ['type filter hook input priority 0;', ...rules].join('\n');
  await run('nft', [`table inet ${table} {\nchain input {\n${chain}\n}\n}`]);
}

export async function passPackets(): Promise<void> {
  await run('nft', ['delete', 'table', 'inet', table]);
}
