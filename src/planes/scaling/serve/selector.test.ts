import { expect, it } from 'vitest';
import { BadSelector, parseSelector, selects } from './selector.ts';

const labels = { target: 'web', tier: 'front', n: '5' };

it.each([
  ['', true],
  ['target=web', true],
  ['target==web,tier=front', true],
  ['target=api', false],
  ['target!=api', true],
  ['absent!=x', true],
  ['target in (api, web)', true],
  ['target in (api,back),tier=front', false],
  ['target notin (api)', true],
  ['absent notin (x)', true],
  ['target', true],
  ['absent', false],
  ['!absent', true],
  ['!target', false],
  ['n>4', true],
  ['n<4', false],
  ['absent>4', false],
  ['target=', false],
  ['a.example/kind=x', false],
  ['toString', false],
  ['__proto__!=x', true],
])('%s selects it: %s', (text, expected) => {
  const read = () => selects(parseSelector(text), labels);
  if (text.startsWith('__')) expect(read).toThrow(BadSelector);
  else expect(read()).toBe(expected);
});

it.each(['a b', 'a in x', 'a in (x', '=x', 'a=x=y', 'n>x', 'a in (x y)', ',', 'a='.concat('x'.repeat(5000))])(
  '%s is refused',
  (text) => {
    expect(() => parseSelector(text)).toThrow(BadSelector);
  },
);
