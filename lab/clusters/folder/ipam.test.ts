import { describe, expect, it } from 'vitest';
import { affinityObject, allocate, type Block, blockObject, claim, nextFreeCidr } from './ipam.ts';

const pool = '10.10.0.0/16';
const start = claim([], 'worker-1', '10.10.1.0/26');

function fill(blocks: readonly Block[], node: string, count: number): readonly Block[] {
  return Array.from({ length: count }).reduce<readonly Block[]>(
    (all, _none, index) => allocate(all, { name: `${node}-${index}`, node }, pool).blocks,
    blocks,
  );
}

/** The blocks after the pod has gone: its block stays with the node, as Calico leaves it. */
function free(blocks: readonly Block[], pod: string): readonly Block[] {
  return blocks.map((block) => ({
    ...block,
    allocations: block.allocations.map((name) => (name === pod ? null : name)),
  }));
}

describe('allocate', () => {
  it('takes the lowest free address of a block of the node, never the first of the block', () => {
    const first = allocate(start, { name: 'a', node: 'worker-1' }, pool);
    const second = allocate(first.blocks, { name: 'b', node: 'worker-1' }, pool);
    expect([first.address, second.address]).toEqual(['10.10.1.1', '10.10.1.2']);
    const again = allocate(free(second.blocks, 'a'), { name: 'c', node: 'worker-1' }, pool);
    expect(again.address).toBe('10.10.1.1');
  });

  it('claims a further block for a node whose blocks are full, and for a node that has none', () => {
    const full = fill(start, 'worker-1', 63);
    expect(allocate(full, { name: 'next', node: 'worker-1' }, pool).address).toBe('10.10.64.1');
    const other = allocate(start, { name: 'first', node: 'worker-2' }, pool);
    expect(other.address).toBe('10.10.64.1');
    expect(other.blocks.map((block) => block.node)).toEqual(['worker-1', 'worker-2']);
  });
});

it('never gives two nodes one block', () => {
  expect(() => claim(start, 'worker-2', '10.10.1.0/26')).toThrow('taken');
  expect(nextFreeCidr(claim(start, 'worker-2', '10.10.64.0/26'), pool)).toBe('10.10.64.64/26');
});

it('writes what Calico writes', () => {
  const [block] = allocate(start, { name: 'web', node: 'worker-1' }, pool).blocks;
  if (block === undefined) throw new Error('no block');
  expect(affinityObject(block)).toMatchObject({
    kind: 'BlockAffinity',
    metadata: { name: 'worker-1-10-10-1-0-26' },
    spec: { cidr: '10.10.1.0/26', node: 'worker-1', state: 'confirmed', deleted: 'false' },
  });
  const { metadata, spec } = blockObject(block);
  expect(metadata.name).toBe('10-10-1-0-26');
  expect(spec?.affinity).toBe('host:worker-1');
  expect(spec?.allocations?.slice(0, 3)).toEqual([null, 0, null]);
  expect(spec?.allocations).toHaveLength(64);
  expect(spec?.attributes?.[0]?.secondary).toMatchObject({ node: 'worker-1', pod: 'web' });
});
