import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Binaries, findBinaries } from '../../lab/control-plane/binaries.ts';
import { type Calico, startCalico } from '../../lab/control-plane/calico.ts';
import type { AnyObject, Kind } from '../../src/kube/kinds.ts';
import { readObject } from '../../src/kube/read-object.ts';
import { withControlPlane } from '../support/clusters/control-plane.ts';

/** A pool of only two blocks of four addresses, so that its addresses are soon used up. */
const pool = { name: 'small', cidr: '10.10.0.0/29', blockSize: 30 };
const plane = withControlPlane();
let binaries: Binaries;
let calico: Calico;

beforeAll(async () => {
  binaries = await findBinaries(process.env);
  await plane().kubectl(['apply', '--server-side', '-f', binaries.calicoCrds]);
  await plane().kubectl(['wait', '--for=condition=Established', '--timeout=120s', '-f', binaries.calicoCrds]);
  await plane().apply(node('one'), node('two'));
  calico = startCalico({ kubeconfig: plane().kubeconfig, calicoIpam: binaries.calicoIpam });
  await calico.init({ pools: [pool] });
});

afterAll(async () => {
  await calico?.stop();
});

describe("Calico's own allocator", () => {
  test('makes the datastore ready, and twice is once', async () => {
    await calico.init({ pools: [pool] });
    const [information] = await list('clusterinformations');
    expect(information).toMatchObject({ spec: { datastoreReady: true } });
    expect(await list('ippools')).toMatchObject([{ metadata: { name: 'small' }, spec: { blockSize: 30 } }]);
  });

  test('gives the pods of a node addresses of its block, under their handles', async () => {
    const first = await calico.assign({ node: 'one', namespace: 'video', pod: 'a' });
    const second = await calico.assign({ node: 'one', namespace: 'video', pod: 'b' });
    const { blocks, affinities } = await calico.show();
    expect(affinities).toMatchObject([{ node: 'one', state: 'confirmed' }]);
    expect(blocks).toMatchObject([{ node: 'one', free: 2 }]);
    expect(blocks[0]?.allocations.map(({ address, pod }) => [address, pod])).toEqual([
      [first.addresses[0], 'a'],
      [second.addresses[0], 'b'],
    ]);
    expect(await list('ipamhandles')).toHaveLength(2);
  });

  test('a node claims one more block, nobody else can', async () => {
    const block = await calico.claim({ node: 'two' });
    expect((await calico.show()).affinities).toContainEqual({ node: 'two', cidr: block, state: 'confirmed' });
    await expect(calico.claim({ node: 'one', block })).rejects.toThrow('belongs to another node');
    await expect(calico.claim({ node: 'one' })).rejects.toThrow('every block is taken');
  });

  test('lends addresses of another node when no block is left', async () => {
    for (const pod of ['c', 'd']) await calico.assign({ node: 'one', namespace: 'video', pod });
    const [borrowed] = (await calico.assign({ node: 'one', namespace: 'video', pod: 'e' })).addresses;
    const [asked] = (await calico.borrow({ node: 'one', from: 'two', namespace: 'video', pod: 'f' })).addresses;
    const lender = (await calico.show()).blocks.find((block) => block.node === 'two');
    const lent = lender?.allocations.map(({ address, node: user, pod }) => ({ address, user, pod }));
    expect(lent).toContainEqual({ address: borrowed, user: 'one', pod: 'e' });
    expect(lent).toContainEqual({ address: asked, user: 'one', pod: 'f' });
    await calico.release({ namespace: 'video', pod: 'f' });
  });

  test('what it writes is what the agents read', async () => {
    const confirmed = { spec: { state: 'confirmed', type: 'host' } };
    expect(await parsed('BlockAffinity', 'blockaffinities')).toMatchObject([confirmed, confirmed]);
    const blocks = await parsed('IPAMBlock', 'ipamblocks');
    for (const owner of ['one', 'two'])
      expect(blocks).toContainEqual(
        expect.objectContaining({ spec: expect.objectContaining({ affinity: `host:${owner}` }) }),
      );
    expect(await parsed('IPPool', 'ippools')).toMatchObject([{ spec: { cidr: pool.cidr } }]);
  });

  test('a released block with addresses in use belongs to nobody until the last one is back', async () => {
    await expect(calico.releaseAffinity({ node: 'two', mustBeEmpty: true })).rejects.toThrow(/not empty/);
    await calico.releaseAffinity({ node: 'two' });
    const orphan = (await calico.show()).blocks.find((block) => block.node === undefined);
    expect(orphan?.allocations).toMatchObject([{ node: 'one', pod: 'e' }]);
    expect((await calico.show()).affinities).toMatchObject([{ node: 'one' }]);
    const released = await calico.release({ namespace: 'video', pod: 'e' });
    expect(released).toEqual([orphan?.allocations[0]?.address]);
    expect((await calico.show()).blocks).toMatchObject([{ node: 'one', free: 0 }]);
  });

  test('refuses by name what it does not understand, and goes on', async () => {
    await expect(calico.assign({ node: 'nowhere', namespace: 'video', pod: 'x' })).rejects.toThrow('nowhere');
    await expect(calico.release({ handle: 'unknown' })).rejects.toThrow(/unknown/);
    const misspelt = { node: 'one', blok: '10.10.0.0/30' };
    await expect(calico.claim(misspelt)).rejects.toThrow('unknown field "blok"');
    expect((await calico.show()).blocks).toHaveLength(1);
  });

  test('after its end every question is refused', async () => {
    const another = startCalico({ kubeconfig: plane().kubeconfig, calicoIpam: binaries.calicoIpam });
    await another.show();
    await another.stop();
    await expect(another.show()).rejects.toThrow('has ended');
  });
});

async function list(resource: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await plane().kubectl(['get', `${resource}.crd.projectcalico.org`, '-o', 'json']);
  return (JSON.parse(text) as { readonly items: readonly Readonly<Record<string, unknown>>[] }).items;
}

async function parsed(kind: Kind, resource: string): Promise<readonly AnyObject[]> {
  const objects = (await list(resource)).map((raw) => readObject(kind, raw));
  return objects.map((read) => {
    if (!read.ok) throw new Error(`${kind} ${read.path}: ${read.message}`);
    return read.object;
  });
}

function node(name: string): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name } };
}
