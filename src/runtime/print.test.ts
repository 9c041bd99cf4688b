import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { messageLines, printLines } from './print.ts';

it('prints each text as one line', () => {
  const printed: string[] = [];
  printLines(['one', 'two\nok: three', '\u001b[1A'], { write: (text) => printed.push(text) });
  expect(printed.join('')).toBe('one\ntwo\\nok: three\n\\u001b[1A\n');
});

it('keeps every word on a terminal that is narrower than a line, and a line whole where it does not end on one', () => {
  const printed: string[] = [];
  const write = (text: string) => printed.push(text);
  printLines(['  pool paris: 192.0.2.10', 'short'], { write, columns: 16 });
  printLines(['  pool paris: 192.0.2.10'], { write });
  expect(printed).toEqual(['  pool paris:\n    192.0.2.10\nshort\n', '  pool paris: 192.0.2.10\n']);
});

it('indents what follows in a message of several lines', () => {
  expect(messageLines('it failed\nok: 5 sites\n')).toEqual(['it failed', '    ok: 5 sites']);
});

it('a log holds no character that a terminal obeys, and stays JSON', () => {
  const script = `
    import { createLog } from './src/runtime/log.ts';
    createLog('test').warn({ object: '\\u001b[2J\\u009b1A\\u202e\\u2028', error: new Error('a\\u0085b') }, 'refused');
  `;
  const options = ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', script];
  const line = execFileSync('bash', ['--norc', '-c', 'exec "$0" "$@" 2>&1', process.execPath, ...options], {
    encoding: 'utf8',
  });
  expect(line).not.toMatch(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  expect(JSON.parse(line)).toMatchObject({ object: '\u001b[2J\u009b1A\u202e\u2028', msg: 'refused' });
});
