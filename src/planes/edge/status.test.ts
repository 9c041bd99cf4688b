import { expect, it } from 'vitest';
import { calm } from '../../../test/support/edge-view.ts';
import type { Condition } from './compile/condition.ts';
import { statusOf } from './status.ts';
import { noMemory } from './step/memory.ts';

const refused = (object: string): Condition => ({
  object,
  state: 'refused',
  problems: [{ reason: 'SecretMissing', object, message: 'there is none' }],
});
const many = (namespace: string, count: number): readonly Condition[] =>
  Array.from({ length: count }, (_, at) => refused(`Ingress/${namespace}/i${String(at).padStart(3, '0')}`));
const shown = (conditions: readonly Condition[]): readonly string[] =>
  statusOf({ view: { ...calm, conditions }, memory: noMemory, publishing: undefined, notices: [] }).refused.map(
    ({ object }) => object,
  );

it('shows what was refused to one tenant, however much is refused to another', () => {
  const honest = [refused('EndpointSlice/modest/web'), refused('Ingress/modest/web'), refused('EdgePool/paris')];
  const all = [...many('greedy', 500), ...many('other', 30), ...honest].toSorted((a, b) =>
    a.object < b.object ? -1 : 1,
  );
  const objects = shown(all);
  expect(objects).toHaveLength(100);
  expect(objects).toEqual(expect.arrayContaining(honest.map(({ object }) => object)));
  expect(objects.filter((object) => object.startsWith('Ingress/other/'))).toHaveLength(30);
  expect(objects.filter((object) => object.startsWith('Ingress/greedy/'))).toHaveLength(67);
  expect(objects).toEqual(objects.toSorted());
});

it('shows all of a hundred and fewer, and counts all of more', () => {
  expect(shown(many('greedy', 100))).toHaveLength(100);
  expect(shown([...many('greedy', 99), { object: 'Ingress/a/a', state: 'accepted', problems: [] }])).toHaveLength(99);
  const conditions = many('greedy', 500);
  const status = statusOf({ view: { ...calm, conditions }, memory: noMemory, publishing: undefined, notices: [] });
  expect(status.conditions.refused).toBe(500);
});
