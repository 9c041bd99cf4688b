import type { Argument, Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from './program.ts';

function takers(command: Command, words: string): readonly (readonly [string, Option | Argument])[] {
  const own = [...command.options, ...command.registeredArguments].map(
    (one) => [`${words} ${one.name()}`, one] as const,
  );
  return [...own, ...command.commands.flatMap((below) => takers(below, `${words} ${below.name()}`))];
}

it('every option and argument of few words takes them, and guesses which one was meant', async () => {
  const choices = takers(await buildProgram(), 'tideline').filter(([, one]) => one.argChoices !== undefined);
  expect(choices.map(([where]) => where)).toEqual(
    expect.arrayContaining([
      'tideline completion shell',
      'tideline steering plan provider',
      'tideline status output',
      'tideline check as',
    ]),
  );
  for (const [where, one] of choices)
    for (const word of one.argChoices ?? []) {
      expect(one.parseArg?.(word, undefined), where).toBe(word);
      expect(() => one.parseArg?.(`${word}x`, undefined), where).toThrow(`(Did you mean ${word}?)`);
    }
});
