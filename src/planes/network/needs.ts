import { follow, knowIdentity, type Need } from '../../kube/needs.ts';
import { withoutUndefined } from '../../model/values.ts';

/** Where the prefixes of the pods come from: Calico's blocks, or `Node.spec.podCIDRs`. */
export type PodsFrom = 'calico' | 'podCIDRs';

/** What the agent of a worker needs of its cluster; With `node`, only the Node of that name is read. */
export function networkNeeds(choice: { readonly podsFrom: PodsFrom; readonly node?: string }): readonly Need[] {
  const select = choice.node === undefined ? undefined : { fields: `metadata.name=${choice.node}` };
  const server = follow('Node', "the server's own address", withoutUndefined({ select }));
  const onNode = choice.node === undefined ? undefined : { fields: `spec.nodeName=${choice.node}` };
  const why = 'whether a drained worker still has Ready pods';
  const pods = follow('Pod', why, { mayLack: true, ...withoutUndefined({ select: onNode }) });
  const drains = follow('Drain', 'Drains of this worker', { mayLack: true });
  if (choice.podsFrom === 'podCIDRs') return [knowIdentity, server, pods, drains];
  return [
    knowIdentity,
    server,
    pods,
    drains,
    follow('IPPool', 'which blocks are exported, and of what size'),
    follow('BlockAffinity', 'the blocks of this node'),
    follow('IPAMBlock', 'whether a block is really ours, and who uses its addresses'),
  ];
}
