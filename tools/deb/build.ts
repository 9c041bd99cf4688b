import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/model/values.ts';
import { type Architecture, architectures } from './control.ts';
import { buildPackage, checkout } from './package.ts';

/** `make deb`: VERSION and ARCH may be given; SOURCE_DATE_EPOCH is the time of the last commit unless it is. */
async function main(): Promise<void> {
  const { VERSION, ARCH } = process.env;
  const version = VERSION || (JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as Package).version;
  const architecture = ARCH || architectures.find(({ node }) => node === process.arch)?.debian;
  const known = architectures.find(({ debian }) => debian === architecture);
  if (known === undefined)
    throw new Error(`there is no package for ${architecture}; there is: ${listed(architectures)}`);
  const file = await buildPackage({
    version,
    architecture: known,
    epoch: await sourceDate(),
    folder: join(checkout, 'build', 'deb'),
    say,
  });
  const { size } = await stat(file);
  say(`${relative(process.cwd(), file)}, ${(size / 1e6).toFixed(1)} MB`);
}

interface Package {
  readonly version: string;
}

const listed = (all: readonly Architecture[]): string => all.map(({ debian }) => debian).join(', ');

async function sourceDate(): Promise<number> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined) return Number(given);
  const { stdout } = await promisify(execFile)('git', ['-C', checkout, 'log', '-1', '--format=%ct']).catch(() => {
    throw new Error('there is no commit to take the time of; fix: give SOURCE_DATE_EPOCH=SECONDS');
  });
  return Number(stdout);
}

function say(text: string): void {
  process.stderr.write(`deb: ${text}\n`);
}

process.exitCode = await main().then(
  () => 0,
  (error: unknown) => {
    say(messageOf(error));
    return 1;
  },
);
