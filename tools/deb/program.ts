import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The lab and the demo are programs of a checkout. */
const ofCheckout = [
  'lab',
  'tools',
  'src/cli/lab.js',
  'src/cli/lab-logs.js',
  'src/cli/demo.js',
  'src/cli/demo-fleet.js',
];

/** Writes the code as JavaScript below `target`, in the folders that it has in the checkout, with the files that it reads beside it. */
export async function writeProgram(checkout: string, target: string, version: string): Promise<void> {
  const settings = join(target, 'tsconfig.json');
  const typeRoots = [join(checkout, 'node_modules/@types')];
  const compilerOptions = { noEmit: false, noCheck: true, rootDir: checkout, outDir: target, typeRoots };
  const include = [join(checkout, 'src')];
  const exclude = [join(checkout, 'src/**/*.test.ts')];
  await writeFile(
    settings,
    JSON.stringify({ extends: join(checkout, 'tsconfig.json'), compilerOptions, include, exclude }),
  );
  await promisify(execFile)(process.execPath, [join(checkout, 'node_modules/typescript/bin/tsc'), '-p', settings]);
  for (const path of [settings, ...ofCheckout.map((name) => join(target, name))]) await rm(path, { recursive: true });
  await writeFile(join(target, 'package.json'), await packageText(checkout, version));
  const beside = (await readdir(join(checkout, 'src'), { recursive: true })).filter((name) =>
    /\.(lua|json)$/.test(name),
  );
  for (const name of beside) await cp(join(checkout, 'src', name), join(target, 'src', name));
  await mkdir(join(target, 'bin'));
  await writeFile(join(target, 'bin/tideline'), startText(await readFile(join(checkout, 'bin/tideline'), 'utf8')));
  await cp(join(checkout, 'deploy'), join(target, 'deploy'), { recursive: true });
  for (const page of ['docs/operations', 'docs/reference']) {
    await mkdir(dirname(join(target, page)), { recursive: true });
    await cp(join(checkout, page), join(target, page), { recursive: true });
  }
}

async function packageText(checkout: string, version: string): Promise<string> {
  const { name, description, license, type } = JSON.parse(
    await readFile(join(checkout, 'package.json'), 'utf8'),
  ) as Readonly<Record<string, string>>;
  return `${JSON.stringify({ name, version, description, license, private: true, type }, undefined, 2)}\n`;
}

function startText(text: string): string {
  const start = text.replace('src/cli/main.ts', 'src/cli/main.js');
  if (start === text) throw new Error('bin/tideline starts no src/cli/main.ts');
  return start;
}
