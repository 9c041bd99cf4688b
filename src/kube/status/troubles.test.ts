import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Troubles } from './troubles.ts';

const ingress = (namespace: string, name: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  resource: 'ingresses',
  namespace,
  name,
});
const web = ingress('video', 'web');
const quick = 20;

describe('Troubles', () => {
  it('holds up nothing for one object that fails again and again', () => {
    const troubles = new Troubles();
    for (let now = 0; now < 10; now += 1) expect(troubles.noteFailure(web, quick, now)).toBe(false);
    expect(troubles.notBeforeMs(ingress('video', 'other'))).toBe(-Infinity);
    expect(troubles.spread).toBe(1);
  });

  it('lets a namespace wait for its second object, ever longer up to a minute, and says so once', () => {
    const troubles = new Troubles();
    troubles.noteFailure(web, quick, 0);
    const told = Array.from({ length: 9 }, (_, index) => troubles.noteFailure(ingress('video', `${index}`), quick, 0));
    expect(told.filter(Boolean)).toHaveLength(1);
    expect(troubles.notBeforeMs(web)).toBe(60_000);
    expect(troubles.notBeforeMs(ingress('news', 'web'))).toBe(-Infinity);
    troubles.noteAnswer(web);
    expect(troubles.notBeforeMs(web)).toBe(-Infinity);
  });

  it('gives writes that hang a tenth of the time at most', () => {
    const troubles = new Troubles();
    troubles.noteFailure(web, 5000, 5000);
    expect(troubles.notBeforeMs(web)).toBe(55_000);
  });

  it('knows the whole API to fail only when several namespaces do, with nothing answered between', () => {
    const troubles = new Troubles();
    troubles.noteFailure(web, quick, 0);
    troubles.noteAnswer(ingress('news', 'web'));
    troubles.noteFailure(ingress('audio', 'web'), quick, 0);
    expect(troubles.spread).toBe(1);
    troubles.noteFailure(web, quick, 0);
    expect(troubles.spread).toBe(2);
  });

  it('never delays a namespace that has not failed', () => {
    const step = fc.record({
      namespace: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('x', 'y'),
      tookMs: fc.nat(6000),
      fails: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const troubles = new Troubles();
        const failed = new Set<string>();
        let now = 0;
        for (const { namespace, name, tookMs, fails } of steps) {
          now += tookMs;
          if (fails) failed.add(namespace);
          else failed.delete(namespace);
          if (fails) troubles.noteFailure(ingress(namespace, name), tookMs, now);
          else troubles.noteAnswer(ingress(namespace, name));
          for (const other of ['a', 'b', 'c'])
            if (!failed.has(other)) expect(troubles.notBeforeMs(ingress(other, 'x'))).toBe(-Infinity);
        }
      }),
    );
  });
});
