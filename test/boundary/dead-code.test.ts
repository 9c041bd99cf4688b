import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inPlantedTree } from '../support/planted-tree.ts';

interface Report {
  readonly issues: readonly {
    readonly file: string;
    readonly files?: readonly unknown[];
    readonly exports?: readonly { readonly name: string }[];
  }[];
}

/** The findings of knip in this folder by our configuration: `file: name` for an export, `file` for a whole file. */
function findings(folder: string, ...mode: readonly string[]): Promise<readonly string[]> {
  const knip = resolve('node_modules/knip/bin/knip.js');
  const args = [knip, '--no-progress', '--reporter', 'json', '--include', 'files,exports', ...mode];
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 64 << 20 }, (error, stdout) => {
      if (!stdout.startsWith('{')) {
        fail(error ?? new Error('knip said nothing'));
        return;
      }
      const { issues } = JSON.parse(stdout) as Report;
      done(
        issues.flatMap(({ file, files = [], exports = [] }) => [
          ...(files.length > 0 ? [file] : []),
          ...exports.map(({ name }) => `${file}: ${name}`),
        ]),
      );
    });
  });
}

/** Judges a tree of the given files with our configuration, in which every entry exists. */
async function planted<T>(files: Readonly<Record<string, string>>, judge: (folder: string) => Promise<T>): Promise<T> {
  const ours = {
    'knip.json': await readFile('knip.json', 'utf8'),
    'package.json': '{ "name": "planted", "type": "module" }',
    'src/bgp/relay/main.ts': 'export {};\n',
  };
  return inPlantedTree({ ...ours, ...files }, judge);
}

const main = "import { used } from '../model/rule.ts';\nused();\n";
const rule = 'export function used(): void {}\nexport function lookedAt(): void {}\n';
const usesBoth = (path: string) => `import { lookedAt, used } from '${path}';\nused();\nlookedAt();\n`;
const useless = 'export const useless = 1;\n';

describe('the dead-code check', () => {
  it('refuses an export that only a test uses, and only when it looks at production code alone', async () => {
    const files = {
      'src/cli/main.ts': main,
      'src/model/rule.ts': rule,
      'src/model/rule.test.ts': usesBoth('./rule.ts'),
      'test/integration/rule.test.ts': usesBoth('../../src/model/rule.ts'),
    };
    await planted(files, async (folder) => {
      expect(await findings(folder)).toEqual([]);
      expect(await findings(folder, '--production')).toEqual(['src/model/rule.ts: lookedAt']);
    });
  });

  it('refuses a file of src or lab that only tests import', async () => {
    const files = {
      'src/cli/main.ts': 'export {};\n',
      'src/model/useless.ts': useless,
      'lab/useless.ts': useless,
      'lab/useless.test.ts': "import { useless } from './useless.ts';\nuseless;\n",
      'test/integration/useless.test.ts': "import { useless } from '../../src/model/useless.ts';\nuseless;\n",
    };
    await planted(files, async (folder) => {
      expect(await findings(folder)).toEqual([]);
      expect((await findings(folder, '--production')).toSorted()).toEqual(['lab/useless.ts', 'src/model/useless.ts']);
    });
  });
});
