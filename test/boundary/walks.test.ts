import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Walk {
  readonly title: string;
  readonly steps: readonly { readonly file: string; readonly socket: boolean }[];
}

/** The walks of docs/architecture.md: each numbered item names one file in backticks first; ⇢ before it stands for a socket. */
function walksOf(text: string): readonly Walk[] {
  const section = /^## One change, file by file\n([\s\S]*?)(?=^## )/m.exec(text)?.[1] ?? '';
  return section
    .split(/^### /m)
    .slice(1)
    .map((part) => ({
      title: part.split('\n')[0] ?? '',
      steps: [...part.matchAll(/^\d+\. ([^`]*)`([^`]+)`/gm)].map(([, before = '', file = '']) => ({
        file,
        socket: before.includes('⇢'),
      })),
    }));
}

/** The files that a source file imports; of Lua, those that it requires. */
function importsOf(file: string, text: string): readonly string[] {
  if (file.endsWith('.lua'))
    return [...text.matchAll(/require "tideline\.(\w+)"/g)].map(([, name]) => join(dirname(file), `${name}.lua`));
  return [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, path = '']) =>
    normalize(join(dirname(file), path)),
  );
}

/** The faults of a walk: a file that is there twice, or one to which no file before it leads. */
function faultsOf({ steps }: Walk, read: (file: string) => string): readonly string[] {
  const before: string[] = [];
  const faults: string[] = [];
  const imports = new Map(steps.map(({ file }) => [file, importsOf(file, read(file))]));
  const joined = (a: string, b: string): boolean =>
    (imports.get(a) ?? []).includes(b) || (imports.get(b) ?? []).includes(a);
  for (const { file, socket } of steps) {
    if (before.includes(file)) faults.push(`${file} is visited twice`);
    else if (!socket && before.length > 0 && !before.some((one) => joined(one, file)))
      faults.push(`nothing before ${file} leads to it`);
    before.push(file);
  }
  return faults;
}

const walks = walksOf(readFileSync('docs/architecture.md', 'utf8'));

it('finds the three walks', () => {
  expect(walks.map(({ steps }) => steps.length)).toEqual([36, 24, 30]);
});

describe.each(walks)('$title', (walk) => {
  it('visits every file once, each joined to one before it', () => {
    expect(faultsOf(walk, (file) => readFileSync(file, 'utf8'))).toEqual([]);
  });
});

it('finds a file that is visited twice, and one that nothing leads to', () => {
  const text =
    '## One change, file by file\n\n### A tide\n\n1. `a.ts` x.\n2. `b.ts` y.\n3. `c.ts` z.\n4. `a.ts` x.\n\n## End\n';
  const files: Readonly<Record<string, string>> = { 'a.ts': "import { b } from './b.ts';\n", 'b.ts': '', 'c.ts': '' };
  const [walk] = walksOf(text);
  expect(walk && faultsOf(walk, (file) => files[file] ?? '')).toEqual([
    'nothing before c.ts leads to it',
    'a.ts is visited twice',
  ]);
});
