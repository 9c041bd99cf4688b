import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const documents = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'lab/**/*.md', 'test/**/*.md'], {
  exclude: (path) => path.includes('node_modules'),
});

it('reads the documents', () => {
  expect(documents.length).toBeGreaterThan(15);
});

it.each(documents)('%s links and names only files that exist', async (document) => {
  const text = await readFile(document, 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) =>
    join(dirname(document), target),
  );
  const files = [...text.matchAll(/`((?:src|lab|test|docs|tools|examples|deploy)\/[\w./-]+)`/g)].map(
    ([, target = '']) => target,
  );
  const missing = [...links, ...files].filter((path) => !existsSync(path));
  expect(missing).toEqual([]);
});
