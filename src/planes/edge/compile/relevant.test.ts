import { describe, expect, it } from 'vitest';
import { clusterWith } from '../../../../test/support/edge-rig.ts';
import { needsCompile } from './relevant.ts';

describe('needsCompile', () => {
  const base = clusterWith();
  const changed = new Map([['Ingress' as const, new Set(['video/web'])]]);
  const withIngress = (change: object) => {
    const ingress = base.objects.Ingress.get('video/web');
    if (ingress === undefined) throw new Error('no Ingress');
    return { ...base, objects: { ...base.objects, Ingress: new Map([['video/web', { ...ingress, ...change }]]) } };
  };
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.10' }] } };

  it.each([
    ['a status alone', { status }, false],
    [
      'a status and a new version',
      { status, metadata: { name: 'web', namespace: 'video', resourceVersion: '9' } },
      false,
    ],
    ['a class', { status, spec: { ingressClassName: 'other' } }, true],
    [
      'a label that came with a status',
      { status, metadata: { name: 'web', namespace: 'video', labels: { a: 'b' } } },
      true,
    ],
    ['nothing that is seen', {}, true],
  ])('%s: %j', (_, change, expected) => {
    expect(needsCompile(base, { state: withIngress(change), changed })).toBe(expected);
  });

  it('an Ingress that comes or goes, and other kinds', () => {
    const empty = { ...base, objects: { ...base.objects, Ingress: new Map() } };
    expect(needsCompile(empty, { state: base, changed })).toBe(true);
    expect(needsCompile(base, { state: empty, changed })).toBe(true);
    expect(needsCompile(base, { state: base, changed: new Map([['Secret', new Set(['video/a'])]]) })).toBe(true);
    expect(needsCompile(base, { state: base, changed: new Map([['EndpointSlice', new Set(['video/a'])]]) })).toBe(
      false,
    );
  });
});
