import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';

const units = globSync('deploy/systemd/tideline-*.*').map((path) => basename(path));
const texts = globSync(['src/**/*.ts', 'docs/**/*.md', 'deploy/install', 'README.md'], {
  exclude: (path) => path.includes('node_modules') || path.endsWith('.test.ts'),
});

it('names after systemctl and journalctl only units that are installed', () => {
  const named = texts.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => /\b(?:systemctl|journalctl)\b/.test(line))
      .flatMap((line) => [...line.matchAll(/(?:systemctl [a-z -]+|journalctl -u |')\b(tideline-[a-z-]+)(?![\w.*-])/g)])
      .map(([, unit = '']) => `${path}: ${unit}`),
  );
  expect(named.length).toBeGreaterThan(10);
  const known = (name: string): boolean => units.some((unit) => unit === name || unit.startsWith(`${name}.`));
  expect(named.filter((text) => !known(text.slice(text.indexOf(': ') + 2)))).toEqual([]);
});
