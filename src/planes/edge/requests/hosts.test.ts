import { describe, expect, it } from 'vitest';
import type { Host } from '../table.ts';
import { mostMeasuredHosts } from './counts.ts';
import { measuredHosts } from './hosts.ts';

const host = (name: string, namespace: string): Host => ({
  name,
  paths: [{ match: 'prefix', path: '/', backend: `${namespace}/web/80` }],
});
const many = (namespace: string, count: number): readonly Host[] =>
  Array.from({ length: count }, (_, n) => host(`${namespace}-${String(n).padStart(4, '0')}.example`, namespace));

describe('measuredHosts', () => {
  it('are all hosts of a small table', () => {
    expect(measuredHosts([], [host('b.example', 'n'), host('a.example', 'n')], new Set())).toEqual([
      'a.example',
      'b.example',
    ]);
  });

  it('leave a place to every namespace, however many hosts another one has, and to hosts of policies first', () => {
    const hosts = [...many('greedy', 500), ...many('small', 3), host('zz.example', 'greedy')];
    const chosen = measuredHosts([], hosts, new Set(['zz.example']));
    expect(chosen).toHaveLength(mostMeasuredHosts);
    expect(chosen).toEqual(expect.arrayContaining(['zz.example', ...many('small', 3).map(({ name }) => name)]));
  });

  it('stay while the table has them, and make room when it has not', () => {
    const before = measuredHosts([], many('first', 300), new Set());
    const grown = [...many('another', 300), ...many('first', 300)];
    expect(measuredHosts(before, grown, new Set())).toEqual(before);
    const shrunk = grown.filter(({ name }) => name !== before[0]);
    const after = measuredHosts(before, shrunk, new Set());
    expect(after).toHaveLength(mostMeasuredHosts);
    expect(after).toEqual(expect.arrayContaining(before.slice(1)));
    expect(after.filter((name) => name.startsWith('another'))).toHaveLength(1);
  });
});
