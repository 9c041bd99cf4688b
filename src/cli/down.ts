import { type Command, Option } from 'commander';
import type { Down } from '../observe/why/suppose.ts';
import { notOneOf } from './words.ts';

/** Adds `--if KIND/NAME=down`, the one form of what-if of all commands. */
export function addDownOption(command: Command, kinds: readonly Down['kind'][]): Command {
  const [last = '', ...others] = [...kinds].reverse();
  const list = `${others.reverse().join(', ')} or ${last}`;
  const parse = (text: string, before: readonly Down[]): readonly Down[] => {
    const [, kind, name = '', state = ''] = /^([^/]+)\/([^=]+)=(.+)$/.exec(text) ?? [];
    const known = kinds.find((one) => one === kind);
    if (known !== undefined && state === 'down') return [...before, { kind: known, name }];
    // The name is looked for in the spec, which is not read yet.
    const meant = name === '' ? [] : kinds.map((one) => `${one}/${name}=down`);
    throw notOneOf(`${kind}/${name}=${state}`, meant, `Expected KIND/NAME=down, with ${list} as the kind.`);
  };
  return command.addOption(
    new Option('--if <object=down>', `as if it were down: ${list}, as ${kinds.at(-1)}/NAME=down; may be repeated`)
      .argParser(parse)
      .default([], 'nothing'),
  );
}
