import { type Argument, type Command, InvalidArgumentError, type Option } from 'commander';
import { mostSimilar } from '../model/spec/similar.ts';

/** The error for a word that is none of a closed set: what was expected, and which word was most likely meant. */
export function notOneOf(text: string, words: readonly string[], expected: string): InvalidArgumentError {
  const similar = mostSimilar(text, words);
  return new InvalidArgumentError(similar === undefined ? expected : `${expected}\n(Did you mean ${similar}?)`);
}

/** Adds a guess to the errors of every option and argument of the program that takes one of several words. */
export function guessWords(command: Command): void {
  for (const one of [...command.options, ...command.registeredArguments]) guessChoice(one);
  for (const below of command.commands) guessWords(below);
}

function guessChoice(one: Option | Argument): void {
  const { argChoices: words } = one;
  if (words === undefined) return;
  one.argParser((text: string) => {
    if (words.includes(text)) return text;
    throw notOneOf(text, words, `Allowed choices are ${words.join(', ')}.`);
  });
}
