import { withoutUndefined } from '../../../src/model/values.ts';
import type { Manifest } from '../source/conformance.ts';

const v1 = 'crd.projectcalico.org/v1';
const dashed = (cidr: string): string => cidr.replaceAll(/[./:]/g, '-');

/** Makes Kubernetes and Calico objects for tests of the network plane; `spec` overrides fields. */
export const calico = {
  node: (name: string, address: string, spec: Record<string, unknown> = {}): Manifest => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec,
    status: { addresses: address.split(' ').map((text) => ({ type: 'InternalIP', address: text })) },
  }),
  pool: (cidr: string, spec: Record<string, unknown> = {}): Manifest => ({
    apiVersion: v1,
    kind: 'IPPool',
    metadata: { name: `pool-${dashed(cidr)}` },
    spec: { cidr, blockSize: cidr.includes(':') ? 122 : 26, ...spec },
  }),
  affinity: (cidr: string, node: string, spec: Record<string, unknown> = {}): Manifest => ({
    apiVersion: v1,
    kind: 'BlockAffinity',
    metadata: { name: `${node}-${dashed(cidr)}` },
    spec: { cidr, node, state: 'confirmed', deleted: 'false', ...spec },
  }),
  /** `inUse` maps an index in the block to the node whose pod uses that address. */
  block: (
    cidr: string,
    affinity: string | undefined,
    inUse: Readonly<Record<number, string>> = {},
    spec: Record<string, unknown> = {},
  ): Manifest => {
    const users = Object.entries(inUse);
    return {
      apiVersion: v1,
      kind: 'IPAMBlock',
      metadata: { name: dashed(cidr) },
      spec: {
        cidr,
        ...withoutUndefined({ affinity }),
        deleted: false,
        allocations: Array.from({ length: 64 }, (_, index) => {
          const at = users.findIndex(([key]) => Number(key) === index);
          return at < 0 ? null : at;
        }),
        attributes: users.map(([, node]) => ({ handle_id: `h-${node}`, secondary: { node } })),
        ...spec,
      },
    };
  },
  /** A block with the affinity that gives it to its node. */
  owned: (cidr: string, node: string, inUse: Readonly<Record<number, string>> = {}): readonly Manifest[] => [
    calico.affinity(cidr, node),
    calico.block(cidr, `host:${node}`, inUse),
  ],
};
