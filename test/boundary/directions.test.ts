import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inPlantedTree } from '../support/planted-tree.ts';

interface Report {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly rule: { readonly name: string } }[];
  };
}

const cruiser = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const config = resolve('.dependency-cruiser.cjs');

function cruise(folder: string): Promise<Report> {
  return new Promise((done, fail) => {
    const args = [cruiser, 'src', 'lab', '--config', config, '--output-type', 'json'];
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 << 20 }, (error, stdout) => {
      if (stdout === '') fail(error ?? new Error('dependency-cruiser said nothing'));
      else done(JSON.parse(stdout) as Report);
    });
  });
}

/** The rules that a tree of the given files violates; every import target that is not given is an empty module. */
async function plantedRules(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return inPlantedTree({ 'src/planes/README.md': '', 'lab/empty.ts': '', ...files }, async (folder) => {
    const report = await cruise(folder);
    return report.summary.violations.map(({ rule }) => rule.name);
  });
}

const empty = 'export const value = 1;\n';
const importing = (target: string): string => `import { value } from '${target}';\nexport const copy = value;\n`;

/** The files of a package as npm would have installed it. */
const installed = (name: string): Readonly<Record<string, string>> => ({
  [`node_modules/${name}/package.json`]: `{ "name": "${name}", "main": "index.js" }`,
  [`node_modules/${name}/index.js`]: empty,
});

const planted: readonly { readonly rule: string; readonly files: Readonly<Record<string, string>> }[] = [
  {
    rule: 'network-meets-no-other-plane',
    files: { 'src/planes/network/a.ts': importing('../edge/b.ts'), 'src/planes/edge/b.ts': empty },
  },
  {
    rule: 'edge-meets-no-other-plane',
    files: { 'src/planes/edge/a.ts': importing('../steering/b.ts'), 'src/planes/steering/b.ts': empty },
  },
  {
    rule: 'steering-meets-no-other-plane',
    files: { 'src/planes/steering/a.ts': importing('../network/b.ts'), 'src/planes/network/b.ts': empty },
  },
  {
    rule: 'pure-has-no-effects',
    files: {
      'src/planes/edge/compile/a.ts': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
    },
  },
  {
    rule: 'pure-imports-pure',
    files: { 'src/planes/steering/records/a.ts': importing('../../../runtime/b.ts'), 'src/runtime/b.ts': empty },
  },
  { rule: 'nothing-imports-the-top', files: { 'src/bgp/a.ts': importing('../../lab/b.ts'), 'lab/b.ts': empty } },
  { rule: 'lab-does-not-import-cli', files: { 'lab/a.ts': importing('../src/cli/b.ts'), 'src/cli/b.ts': empty } },
  {
    rule: 'lab-world-imports-listed-rooms',
    files: { 'lab/world/a.ts': importing('../clusters/b.ts'), 'lab/clusters/b.ts': empty },
  },
  {
    rule: 'lab-observe-imports-listed-rooms',
    files: { 'lab/observe/a.ts': "import type { Lab } from '../lab.ts';\nexport type A = Lab;\n", 'lab/lab.ts': empty },
  },
  {
    rule: 'lab-missing.ts-imports-listed-rooms',
    files: { 'lab/missing.ts': importing('./net/b.ts'), 'lab/net/b.ts': empty },
  },
  {
    // No list names this room; the rules cover it because its folder is there.
    rule: 'lab-tides-imports-listed-rooms',
    files: { 'lab/tides/a.ts': importing('../net/b.ts'), 'lab/net/b.ts': empty },
  },
  {
    rule: 'emulators-stand-alone',
    files: { 'lab/emulators/route53/a.ts': importing('../../geo/b.ts'), 'lab/geo/b.ts': empty },
  },
  {
    rule: 'emulators-stand-alone',
    files: { 'lab/emulators/route53/a.ts': importing('../azure/b.ts'), 'lab/emulators/azure/b.ts': empty },
  },
  {
    rule: 'emulators-stand-alone',
    files: { 'lab/emulators/route53/a.ts': importing('../../../src/kube/b.ts'), 'src/kube/b.ts': empty },
  },
  {
    rule: 'lab-imports-listed-packages',
    files: { 'lab/a.ts': importing('left-pad'), ...installed('left-pad') },
  },
  {
    rule: 'src-without-packages-of-the-lab',
    files: { 'src/runtime/a.ts': importing('fast-xml-parser'), ...installed('fast-xml-parser') },
  },
  {
    rule: 'bgp-and-kube-below-planes',
    files: { 'src/kube/a.ts': importing('../planes/edge/b.ts'), 'src/planes/edge/b.ts': empty },
  },
  {
    rule: 'runtime-and-model-at-the-bottom',
    files: { 'src/runtime/a.ts': importing('../kube/b.ts'), 'src/kube/b.ts': empty },
  },
  {
    rule: 'pure-has-no-effects',
    files: {
      'src/planes/steering/dialects/a.ts':
        "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
    },
  },
  {
    rule: 'answers-imports-model-only',
    files: { 'src/answers/a.ts': importing('../planes/steering/b.ts'), 'src/planes/steering/b.ts': empty },
  },
  {
    rule: 'pure-imports-pure',
    files: { 'src/answers/a.ts': importing('../runtime/b.ts'), 'src/runtime/b.ts': empty },
  },
  {
    rule: 'answers-is-read-from-above',
    files: { 'src/platform/a.ts': importing('../answers/b.ts'), 'src/answers/b.ts': empty },
  },
  {
    rule: 'geo-imports-model-only',
    files: { 'src/geo/a.ts': importing('../runtime/b.ts'), 'src/runtime/b.ts': empty },
  },
  {
    rule: 'no-agent-loads-geo',
    files: { 'src/planes/edge/a.ts': importing('../../geo/b.ts'), 'src/geo/b.ts': empty },
  },
  {
    rule: 'platform-reads-files-only',
    files: { 'src/platform/a.ts': importing('../kube/b.ts'), 'src/kube/b.ts': empty },
  },
  { rule: 'kube-and-bgp-do-not-meet', files: { 'src/kube/a.ts': importing('../bgp/b.ts'), 'src/bgp/b.ts': empty } },
  { rule: 'kube-and-bgp-do-not-meet', files: { 'src/bgp/a.ts': importing('../kube/b.ts'), 'src/kube/b.ts': empty } },
  {
    rule: 'relay-stays-small',
    files: { 'src/bgp/relay/a.ts': importing('../../runtime/log.ts'), 'src/runtime/log.ts': empty },
  },
  {
    rule: 'kube-knows-no-platform',
    files: { 'src/kube/a.ts': importing('../platform/b.ts'), 'src/platform/b.ts': empty },
  },
  {
    rule: 'kube-knows-no-platform',
    files: { 'src/kube/a.ts': importing('../model/platform/b.ts'), 'src/model/platform/b.ts': empty },
  },
  {
    // No rule names this plane; the rules cover it because its folder is there.
    rule: 'tides-meets-no-other-plane',
    files: { 'src/planes/tides/a.ts': importing('../edge/b.ts'), 'src/planes/edge/b.ts': empty },
  },
  {
    rule: 'pure-imports-pure',
    files: { 'src/planes/edge/step/a.ts': importing('../vips/b.ts'), 'src/planes/edge/vips/b.ts': empty },
  },
  {
    rule: 'pure-imports-pure',
    files: { 'src/planes/tides/step.ts': importing('./agent.ts'), 'src/planes/tides/agent.ts': empty },
  },
  {
    rule: 'pure-has-no-effects',
    files: { 'src/bgp/guard.ts': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n" },
  },
  {
    rule: 'pure-has-no-effects',
    files: { 'src/kube/kinds/tide.ts': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n" },
  },
  {
    rule: 'pure-imports-pure',
    files: {
      'src/kube/kinds.ts': importing('./kinds/tide.ts'),
      'src/kube/kinds/tide.ts': importing('../watch/a.ts'),
      'src/kube/watch/a.ts': empty,
    },
  },
  {
    rule: 'preflight-checks-clusters',
    files: { 'src/preflight/a.ts': importing('../planes/edge/compile.ts'), 'src/planes/edge/compile.ts': empty },
  },
  {
    rule: 'only-cli-imports-preflight',
    files: { 'src/planes/edge/a.ts': importing('../../preflight/b.ts'), 'src/preflight/b.ts': empty },
  },
  {
    rule: 'only-cli-imports-preflight',
    files: { 'lab/a.ts': importing('../src/preflight/b.ts'), 'src/preflight/b.ts': empty },
  },
  {
    rule: 'observe-knows-agents-by-their-status',
    files: { 'src/observe/a.ts': importing('../planes/edge/status.ts'), 'src/planes/edge/status.ts': empty },
  },
  {
    rule: 'only-cli-imports-observe',
    files: { 'src/planes/edge/a.ts': importing('../../observe/b.ts'), 'src/observe/b.ts': empty },
  },
  { rule: 'client-node-in-one-place', files: { 'src/kube/status/a.ts': importing('@kubernetes/client-node') } },
  { rule: 'src-without-tests', files: { 'src/kube/a.ts': importing('./b.test.ts'), 'src/kube/b.test.ts': empty } },
  { rule: 'no-cycles', files: { 'src/kube/a.ts': importing('./b.ts'), 'src/kube/b.ts': importing('./a.ts') } },
  { rule: 'resolvable', files: { 'src/kube/a.ts': importing('./missing.ts') } },
];

describe('dependency directions', () => {
  it.each(planted)('refuses a planted violation of $rule', async ({ rule, files }) => {
    expect(await plantedRules(files)).toContain(rule);
  });

  it('accepts imports that follow the directions', async () => {
    expect(
      await plantedRules({
        'src/planes/edge/a.ts': importing('../../kube/b.ts'),
        'src/kube/b.ts': empty,
        'src/planes/tides/a.ts': importing('../../answers/b.ts'),
        'src/answers/b.ts': empty,
      }),
    ).toEqual([]);
  });

  it('lets the preflight read what planes need', async () => {
    expect(
      await plantedRules({
        'src/preflight/a.ts': importing('../planes/edge/needs.ts'),
        'src/planes/edge/needs.ts': empty,
      }),
    ).toEqual([]);
  });

  it('accepts packages and rooms that the lab lists', async () => {
    const files = {
      'lab/world/a.ts': `${importing('dns-packet')}export * from '../net/b.ts';\n`,
      'lab/net/b.ts': empty,
    };
    expect(await plantedRules({ ...files, ...installed('dns-packet') })).toEqual([]);
  });

  it('reads this repository, and finds nothing', async () => {
    const report = await cruise(resolve('.'));
    expect(report.summary.violations).toEqual([]);
    expect(report.summary.totalCruised).toBeGreaterThan(20);
  });
});

describe('lab/dependencies.json', () => {
  it('names packages that are installed and used, each in one list', async () => {
    const used = await sourceOf('lab');
    const { dependencies } = await readJson<{ dependencies: Record<string, string> }>('package.json');
    const { npm, npmSharedWithSrc } = await readJson<LabDependencies>('lab/dependencies.json');
    for (const name of [...Object.keys(npm), ...Object.keys(npmSharedWithSrc)]) {
      expect(Object.keys(dependencies)).toContain(name);
      expect(used).toMatch(new RegExp(`'${name}[/']`));
    }
    const inSrc = await sourceOf('src');
    for (const name of Object.keys(npmSharedWithSrc)) expect(inSrc).toMatch(new RegExp(`'${name}[/']`));
  });

  it('lists the rooms of the lab from the bottom up: each imports from those above it in the list', async () => {
    const { rooms } = await readJson<LabDependencies>('lab/dependencies.json');
    const names = Object.keys(rooms);
    for (const [index, name] of names.entries())
      for (const below of rooms[name] ?? []) expect(names.slice(0, index), name).toContain(below);
    const entries = await readdir('lab', { withFileTypes: true });
    const present = entries.filter((entry) => entry.isDirectory() || /(?<!\.test)\.ts$/.test(entry.name));
    expect(names.toSorted()).toEqual(present.map(({ name }) => name).toSorted());
    const readme = await readFile('lab/README.md', 'utf8');
    for (const name of names) expect(readme, name).toMatch(new RegExp(`^\\|.*\`${name}`, 'm'));
  });
});

interface LabDependencies {
  readonly npm: Readonly<Record<string, string>>;
  readonly npmSharedWithSrc: Readonly<Record<string, string>>;
  readonly rooms: Readonly<Record<string, readonly string[]>>;
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

/** Every source file under a folder, without tests, as one text. */
async function sourceOf(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true });
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file));
  return (await Promise.all(sources.map((file) => readFile(join(folder, file), 'utf8')))).join('\n');
}
