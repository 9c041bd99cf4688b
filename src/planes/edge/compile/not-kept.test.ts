import { expect, it } from 'vitest';
import { stateFromObjects } from '../../../../test/support/cluster-state.ts';
import { platformForTests } from '../../../../test/support/edge-platform.ts';
import { ingressOf, serviceOf } from '../../../../test/support/greedy.ts';
import type { AnyObject, Kind } from '../../../kube/kinds.ts';
import { stateOf } from '../../../kube/state.ts';
import { compile } from './compile.ts';

const platform = platformForTests();
const pool = platform.edgePools.get('paris-edge');

/** Compiles these objects and marks of objects that are not kept. */
function compiled(raw: readonly Readonly<Record<string, unknown>>[], marks: readonly AnyObject[]) {
  if (pool === undefined) throw new Error('there is no pool');
  const { objects } = stateFromObjects(raw);
  const all = new Map<Kind, Map<string, AnyObject>>(
    Object.entries(objects).map(([kind, map]) => [kind as Kind, new Map<string, AnyObject>(map)]),
  );
  for (const mark of marks) all.get(mark.kind)?.set(`${mark.metadata.namespace}/${mark.metadata.name}`, mark);
  return compile({
    state: stateOf(1, all),
    platform,
    pool,
    readCertificate: () => ({ ok: false, fault: { reason: 'CertificateUnreadable', message: '' } }),
    nowMs: 0,
  });
}

const host = 'a.greedy.example';
const served = [
  ...serviceOf('greedy', 'web', ['10.10.1.5']),
  ingressOf({ namespace: 'greedy', name: 'a', hosts: [host] }),
];

function mark(annotations: Readonly<Record<string, string>>): AnyObject {
  const metadata = { name: 'b', namespace: 'greedy', annotations };
  return { kind: 'Ingress', metadata, spec: { ingressClassName: 'tideline', rules: [{ host }] }, notKept: 'object' };
}

const reasonsOf = (result: ReturnType<typeof compiled>, object: string) =>
  result.conditions.find((one) => one.object === object)?.problems.map(({ reason }) => reason);

it('an Ingress that is not kept is refused by name, and takes nothing from the others', () => {
  const result = compiled(served, [mark({})]);
  expect(reasonsOf(result, 'Ingress/greedy/b')).toEqual(['NamespaceBudget']);
  expect(result.table.hosts).toEqual(compiled(served, []).table.hosts);
});

it('one that is not kept and limits access closes its hosts, because nobody knows for which paths', () => {
  const limits = { 'nginx.ingress.kubernetes.io/whitelist-source-range': '10.0.0.0/8' };
  const result = compiled(served, [mark(limits)]);
  expect(reasonsOf(result, 'Ingress/greedy/b')).toContain('NamespaceBudget');
  expect(reasonsOf(result, 'Ingress/greedy/a')).toEqual(['AccessSiblingRefused']);
});

it('the version before of an Ingress serves, and the newest is refused by name', () => {
  const { objects } = stateFromObjects(served);
  const before = objects.Ingress.get('greedy/a');
  if (before === undefined) throw new Error('there is no Ingress');
  const result = compiled(served, [{ ...before, notKept: 'newest' }]);
  expect(result.conditions).toMatchObject([{ object: 'Ingress/greedy/a', state: 'partial' }]);
  expect(reasonsOf(result, 'Ingress/greedy/a')).toEqual(['NamespaceBudget']);
  expect(result.table.hosts.map(({ name }) => name)).toContain(host);
});

it('a Secret that is not kept is refused by name', () => {
  const wish = ingressOf({ namespace: 'greedy', name: 'a', hosts: [host], secretName: 'pair' });
  const metadata = { name: 'pair', namespace: 'greedy' };
  const result = compiled(
    [...serviceOf('greedy', 'web', ['10.10.1.5']), wish],
    [{ kind: 'Secret', metadata, type: 'kubernetes.io/tls', notKept: 'object' }],
  );
  expect(reasonsOf(result, 'Ingress/greedy/a')).toEqual(['NamespaceBudget']);
});
