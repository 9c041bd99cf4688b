import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Text for a terminal passes `src/runtime/print.ts`, which escapes it. These files write elsewhere or otherwise, and why. */
const writers: Readonly<Record<string, string>> = {
  'src/runtime/print.ts': 'is that place',
  'src/bgp/relay/run.ts': 'standard output is the pipe of commands to ExaBGP; its errors are escaped there',
  'lab/clients/main.ts': 'JSON lines for the lab that reads them',
  'lab/clients/once.ts': 'JSON for the lab that reads it',
  'lab/fleet/differ.ts': 'JSON for the pillar of the lab that reads it',
  'lab/fleet-demo/asker/main.ts': 'JSON lines for the scenario that reads them',
  'lab/demo/live.ts': 'draws frames, whose texts `renderScreen` escapes',
};

const write = /\b(std(out|err)|[oO]utput)\.write\(|\bconsole\.\w+\(|\bfs\.writeSync\(/;

/** The places of a file's text that write to a terminal by themselves. */
function writesIn(text: string): readonly string[] {
  return text.split('\n').filter((line) => write.test(line));
}

it.each([
  'process.stdout.write(`${name}\\n`);',
  'process.stderr.write(text)',
  'console.log(error.message);',
  'this.#output.write(line);',
])('finds %s', (line) => {
  expect(writesIn(`const a = 1;\n${line}\n`)).toEqual([line]);
});

it('nothing but the one place writes to a terminal', () => {
  const files = ['src', 'lab', 'bin'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const found = files.filter((file) => writesIn(readFileSync(file, 'utf8')).length > 0);
  expect(found.toSorted()).toEqual(Object.keys(writers).toSorted());
});
