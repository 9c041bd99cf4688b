import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const document = 'docs/operations/promises.md';

interface Promised {
  readonly quotation: string;
  readonly source: string;
  readonly file: string;
  readonly title: string;
}

/** The rows of the tables: a quotation, the document that it is from, and a test by its file and title. */
function rowsOf(text: string): readonly Promised[] {
  return text.split('\n').flatMap((line) => {
    const [, quotation, target, file, title] =
      /^\| (.+) \| \[[^\]]+\]\(([^)]+)\) \| `([^`]+)`: (.+) \|$/.exec(line) ?? [];
    if (quotation === undefined || target === undefined || file === undefined || title === undefined) return [];
    return [{ quotation, source: join(dirname(document), target), file, title }];
  });
}

/** Text without the breaks of its lines, and without what Markdown adds to words. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** The texts that are the first argument of a call, or the first cell of a row: titles of tests, none of which is skipped (skipped.test.ts). */
function titlesOf(code: string): readonly string[] {
  const titles = code.matchAll(/[([]\s*(['"`])((?:\\.|(?!\1).)*)\1/g);
  return [...titles].map(([, , title = '']) => title.replaceAll(/\\(['"`])/g, '$1'));
}

const text = readFileSync(document, 'utf8');
const rows = rowsOf(text);

it('reads every row of the tables', () => {
  const lines = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| promise'));
  expect(rows).toHaveLength(lines.length);
  expect(rows.length).toBeGreaterThan(20);
});

it.each(rows)('"$quotation" is said, and tried', ({ quotation, source, file, title }) => {
  expect(flat(readFileSync(source, 'utf8'))).toContain(quotation);
  expect(titlesOf(readFileSync(file, 'utf8'))).toContain(title);
});
