import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AnyObject } from './kinds.ts';
import { keptOf, NamespaceRoom, weigh } from './room.ts';

const room = { objects: 10_000, markers: 1000 };

function ingress(name: string, length: number, namespace = 'greedy'): AnyObject {
  const rules = [{ host: `${name}.example`, http: { paths: [{ path: `/${'x'.repeat(length)}`, backend: {} }] } }];
  return { kind: 'Ingress', metadata: { name, namespace, uid: name }, spec: { ingressClassName: 'ours', rules } };
}

it('keeps what fits, marks what does not, and leaves other namespaces their room', () => {
  const full = new NamespaceRoom('Ingress', room);
  const first = ingress('a', 6000);
  expect(full.admit(first, undefined)).toEqual({ object: first, refused: false });
  expect(full.admit(ingress('b', 6000), undefined)).toEqual({
    refused: true,
    object: {
      kind: 'Ingress',
      metadata: { name: 'b', namespace: 'greedy', uid: 'b' },
      spec: { ingressClassName: 'ours', rules: [{ host: 'b.example' }] },
      notKept: 'object',
    },
  });
  const other = ingress('c', 6000, 'honest');
  expect(full.admit(other, undefined)).toEqual({ object: other, refused: false });
});

it('keeps the version before of an object that grew beyond the room, until there is some', () => {
  const full = new NamespaceRoom('Ingress', room);
  const [first, second] = [ingress('a', 4000), ingress('b', 4000)];
  full.admit(first, undefined);
  full.admit(second, undefined);
  const before = full.admit(ingress('b', 8000), second);
  expect(before).toEqual({ object: { ...second, notKept: 'newest' }, refused: true });
  expect(full.wasFreed()).toBe(false);
  full.release(first);
  expect(full.wasFreed()).toBe(true);
  expect(full.admit(ingress('b', 8000), before.object)).toEqual({ object: ingress('b', 8000), refused: false });
});

it('gives what is held its place in a list, whatever comes before it', () => {
  const held = ingress('z', 6000);
  const before = new NamespaceRoom('Ingress', room);
  before.admit(held, undefined);
  const list = before.forList();
  const marker = list.admit(ingress('a', 6000), undefined).object;
  expect(marker?.notKept).toBe('object');
  expect(list.admit(held, held).object).toBe(held);
  const after = list.afterList(marker === undefined ? [held] : [held, marker]);
  after.release(held);
  expect(after.wasFreed()).toBe(true);
  expect(after.admit(ingress('a', 6000), marker).refused).toBe(false);
});

it('leaves out what has not even room for its mark', () => {
  const full = new NamespaceRoom('Ingress', { objects: 0, markers: 0 });
  expect(full.admit(ingress('a', 1), undefined)).toEqual({ object: undefined, refused: true });
});

it('never holds more of a namespace than its room, in whatever order objects change', () => {
  const change = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    length: fc.nat({ max: 9000 }),
    gone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const full = new NamespaceRoom('Ingress', room);
      const held = new Map<string, AnyObject>();
      for (const { name, length, gone } of changes) {
        const before = held.get(name);
        if (gone && before !== undefined) full.release(before);
        const object = gone ? undefined : full.admit(ingress(name, length), before).object;
        if (object === undefined) held.delete(name);
        else held.set(name, object);
        const whole = [...held.values()].filter(({ notKept }) => notKept !== 'object');
        // That the newest version was refused is noted on the version before; this may add a few bytes.
        expect(whole.reduce((sum, one) => sum + weigh(one), 0)).toBeLessThanOrEqual(room.objects + 4 * 46);
      }
    }),
  );
});

it('keeps of a whole folder what is in force before what is new, and takes back what left', () => {
  const map = (...objects: readonly AnyObject[]) =>
    new Map(objects.map((object) => [`greedy/${object.metadata.name}`, object]));
  const [a, b, honest] = [ingress('a', 4000), ingress('b', 4000), ingress('c', 9000, 'honest')];
  const both = keptOf('Ingress', new Map([...map(a, b), ['honest/c', honest]]), new Map(), room);
  expect([both.refused, both.kept.get('honest/c')]).toEqual([[], honest]);
  const first = ingress('0', 4000);
  const crowded = keptOf('Ingress', map(first, a, ingress('b', 9000)), map(a, b), room);
  expect(crowded.refused).toEqual(['greedy/b', 'greedy/0']);
  expect(crowded.kept.get('greedy/a')).toBe(a);
  expect(crowded.kept.get('greedy/b')).toEqual({ ...b, notKept: 'newest' });
  expect(crowded.kept.get('greedy/0')).toMatchObject({ notKept: 'object' });
  const freed = keptOf('Ingress', map(first, a), crowded.kept, room);
  expect([freed.refused, freed.kept.get('greedy/0')]).toEqual([[], first]);
});
