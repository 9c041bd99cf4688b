import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compileCache } from '../../test/support/compile-cache.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'tideline-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));

const environment = {
  NODE_COMPILE_CACHE: compileCache,
  PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
  HOME: folder,
  TERM: 'dumb',
  LANG: 'C.UTF-8',
};

function run(command: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: environment });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

test.each([
  ['commands', [''], ['check', 'steering', 'completion'], ['plan']],
  ['commands of a plane', ['steering', ''], ['apply', 'explain', 'plan'], ['check']],
  ['options', ['steering', 'plan', '--det'], ['--detailed-exitcode'], ['--provider']],
  ['values of an option', ['check', '-o', ''], ['json', 'text', 'yaml'], ['check']],
  ['files', ['check', 'examples/hybrid/'], ['examples/hybrid/traffic.yaml', 'examples/hybrid/clusters/'], ['json']],
  ['files of an option', ['bgp', 'render', '--platform', './exa'], ['./examples/'], ['json']],
])('the shell is offered %s', (_what, words, some, not) => {
  const offered = run('tideline', ['complete', '--', ...words])
    .split('\n')
    .map((line) => line.split('\t')[0]);
  expect(offered).toEqual(expect.arrayContaining(some));
  for (const other of not) expect(offered).not.toContain(other);
});

/** Every file name here has a character that a shell would expand or split at, but one. */
function hostilePlace(): string {
  const place = mkdtempSync(join(folder, 'place-'));
  const names = ['a$(touch ran).yaml', '`touch ran`.yaml', 'two words.yaml', 'b;touch ran.yaml', 'd’été.yaml'];
  for (const name of [...names, 'sites.yaml']) writeFileSync(join(place, name), '');
  return place;
}

/** The lines that are on the command line after the tab key. */
type Complete = (lines: readonly string[], place: string) => readonly string[];

/** As its own documentation says: bash calls the function with the line, and puts its one answer where its last word begins. */
const bash: Complete = (lines, place) => {
  const script = `
    compopt() { :; }
    source <(tideline completion bash); source <(tideline completion bash)
    for COMP_LINE; do
      COMP_POINT=\${#COMP_LINE}
      $(complete -p tideline | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
      last=\${COMP_LINE##*[[:space:]=:]}
      [[ \${#COMPREPLY[@]} == 1 ]] && COMP_LINE=\${COMP_LINE%"$last"}\${COMPREPLY[0]}
      printf '%s\\n' "$COMP_LINE"
    done`;
  return run('bash', ['--norc', '-c', script, 'bash', ...lines], place)
    .trimEnd()
    .split('\n');
};

/** A zsh on a terminal; the key that accepts a line writes it down instead. */
const zsh: Complete = (lines, place) => {
  const shown = join(mkdtempSync(join(folder, 'zsh-')), 'lines');
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "autoload -U compinit; compinit -u -D; source <(tideline completion zsh)
    accept() { print -r -- \\"\\$BUFFER\\" >>$1; BUFFER=; zle .accept-line }; zle -N accept-line accept"
    shown=$1; shift
    for line; do zpty -w -n shell "$line"$'\\t\\r'; done
    until [[ -e $shown && $(wc -l <$shown) -eq $# ]]; do zpty -r shell said; done
    zpty -d shell`;
  run('timeout', ['60', 'zsh', '-f', '-c', script, 'zsh', shown, ...lines], place);
  return readFileSync(shown, 'utf8').trimEnd().split('\n');
};

/** fish says itself what it would offer. */
const fish: Complete = (lines, place) => {
  const script = `
    tideline completion fish | source
    for line in $argv
      set -l offered (complete -C $line | string split -f1 \\t)
      if test (count $offered) -eq 1
        echo -- (string replace -r '[^ ]*$' '' -- $line)$offered
      else
        echo -- $line
      end
    end`;
  return run('fish', ['--no-config', '-c', script, ...lines], place)
    .trimEnd()
    .split('\n');
};

describe.each([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
] as const)('%s', (_shell, complete) => {
  test('completes commands, values and paths, and runs nothing that a line or the name of a file says', () => {
    const place = hostilePlace();
    const before = readdirSync(place);
    const lines = [
      ['tideline steering pl', 'tideline steering plan'],
      ['tideline check -o y', 'tideline check -o yaml'],
      ['tideline check ./si', 'tideline check ./sites.yaml'],
      ['tideline check ./', 'tideline check ./sites.yaml'],
      ['tideline check ./a', 'tideline check ./a'],
      ['tideline check $(touch ran) `touch ran` ./si', 'tideline check $(touch ran) `touch ran` ./sites.yaml'],
    ];
    const completed = complete(
      lines.map(([line = '']) => line),
      place,
    ).map((line) => line.trimEnd());
    expect(completed).toEqual(lines.map(([, line]) => line));
    expect(readdirSync(place)).toEqual(before);
  }, 60_000);
});
