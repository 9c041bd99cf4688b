import { expect, test } from 'vitest';
import { type Delegated, isUnasked, renderDelegations } from './delegations.ts';

const zone = 'video.example';
const [one, other] = ['ns-1.dns.example', 'ns-1.other.example'];
const of = (servers: readonly string[], own: readonly string[] = [one ?? '']): Delegated => ({
  provider: 'route53',
  zone,
  own,
  parent: { zone, parent: 'example', servers },
});

test('a zone to which its parent leads is not spoken of', () => {
  expect(renderDelegations([of([one ?? ''])])).toEqual([]);
  expect(isUnasked(of([one ?? '']))).toBe(false);
});

test.each([
  [
    'the parent leads elsewhere',
    of([other ?? '']),
    /nobody asks video\.example at route53: its parent example delegates it to ns-1\.other\.example, and not to ns-1\.dns\.example \(NotDelegated\)/,
  ],
  [
    'the parent knows nothing of it',
    of([]),
    /nobody asks video\.example: its parent example does not delegate it \(NotDelegated\)/,
  ],
])('%s', (_what, delegated, said) => {
  expect(renderDelegations([delegated])).toEqual([expect.stringMatching(said)]);
  expect(isUnasked(delegated)).toBe(true);
});

test('name servers that no plan has are named, those of another plan are not', () => {
  const both = [
    of([one ?? '', other ?? '']),
    { ...of([one ?? '', other ?? ''], [other ?? '']), provider: 'powerdns' as const },
  ];
  expect(renderDelegations(both)).toEqual([]);
  expect(renderDelegations(both.slice(0, 1))).toEqual([expect.stringContaining('leads to ns-1.other.example as well')]);
});

test('what could not be asked is said, and is no fault', () => {
  const unknown: Delegated = { ...of([]), parent: { zone, problem: 'no resolver' } };
  expect(renderDelegations([unknown])).toEqual([
    'whether the parent of video.example leads to route53 was not asked: no resolver',
  ]);
  expect(isUnasked(unknown)).toBe(false);
});
