import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tasks } from '../support/tasks.ts';

/** The tasks of every operator; the table may have more. */
const wanted = [
  'add a worker',
  'add a blade',
  'add a data centre',
  'drain and return a blade',
  'drain and return a cluster',
  'drain and return a site',
  'move a country',
  'rotate a certificate',
  'upgrade agents',
  'find why',
  'roll back an edit',
  'roll back what was applied',
];

it('has every task of an operator', () => {
  const names = tasks().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(wanted));
  expect(new Set(names).size).toBe(names.length);
});

describe.each(tasks())('$name', ({ name, commands, today, test }) => {
  it('takes one or two commands, and says what it takes elsewhere', () => {
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.length).toBeLessThanOrEqual(2);
    expect(today).toMatch(/\S{3}/);
  });

  it('is run by the test that it names', () => {
    expect(existsSync(test)).toBe(true);
    const code = readFileSync(test, 'utf8');
    expect(code).toContain(`taskNamed('${name}')`);
  });
});
