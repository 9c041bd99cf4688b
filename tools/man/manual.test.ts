import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { manualPage } from './manual.ts';

const reference = readFileSync('docs/reference/command-line.md', 'utf8');

/** The page as a reader has it. Every warning of groff is an error here. */
function read(page: string): string {
  const { stdout, stderr, status } = spawnSync(
    'groff',
    ['-man', '-Tutf8', '-P-c', '-P-b', '-P-u', '-rLL=400n', '-ww'],
    {
      input: page,
      encoding: 'utf8',
    },
  );
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

test('the page has every command and option that --help has, and every exit code', async () => {
  const program = await buildProgram();
  const page = read(manualPage(program, reference));
  const wanted = (command: Command, words: string): readonly string[] => [
    words,
    ...command.options.filter(({ hidden }) => !hidden).map(({ flags }) => flags),
    ...command
      .createHelp()
      .visibleCommands(command)
      .filter((one) => one.name() !== 'help')
      .flatMap((one) => wanted(one, `${words} ${one.name()}`)),
  ];
  const all = wanted(program, 'tideline').filter((text) => !text.startsWith('-V'));
  expect(all.length).toBeGreaterThan(60);
  expect(all.filter((text) => !page.includes(text))).toEqual([]);
  expect([...page.matchAll(/^ +(\d) +\S/gm)].map(([, code]) => code)).toEqual(['0', '1', '2', '3', '4']);
  expect(page).not.toContain(process.cwd());
});

test('text that roff would obey is text in the page', () => {
  const odd = ['.so /etc/passwd', "'br", 'a\\nb \\fBnot bold', '--two-dashes', 'd’été', '"quoted"'];
  const program = new Command('tideline').description('odd');
  for (const text of odd)
    program
      .command(`x${odd.indexOf(text)}`)
      .description('d')
      .option('--o <v>', text);
  const page = read(manualPage(program, ''));
  for (const text of odd) expect(page).toContain(text);
});
