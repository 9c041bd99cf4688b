import { ReloadCount } from '../reloads.ts';
import type { Stage } from '../stage.ts';
import { type Step, unnoticed } from '../step.ts';
import { expect } from '../unmet.ts';

export const scaleUp: Step = {
  name: 'scale-up',
  explanation:
    'Pods are added in paris: some from a block the worker has, some from a new block. The block is announced, the endpoints reach nginx through its control socket, and nothing is reloaded.',
  tolerance: unnoticed,
  async run(stage) {
    const cluster = stage.lab.clusters.get('paris');
    const [first, second] = cluster?.datacentre.workers ?? [];
    expect(cluster !== undefined && first !== undefined && second !== undefined, 'paris has two workers');
    const reloads = new ReloadCount(stage.lab);
    const reloadsBefore = await reloads.total();
    const from = stage.now();
    const block = await cluster.claimBlock(second.name);
    const pods = await cluster.scaleUp(4);
    const onNewBlock = pods.filter(({ node }) => node === second.name);
    stage.narrate(
      `${second.name} claims block ${block}; its new pods have ${onNewBlock.map(({ address }) => address).join(' and ')}.`,
    );
    await stage.until(async () =>
      (await stage.nextHops('paris', block)).includes(second.address) ? undefined : `no route to ${block}`,
    );
    const names = pods.map(({ name }) => name);
    await stage.until(() => podsNotServing(stage, from, names));
    expect((await reloads.total()) === reloadsBefore, 'nginx was reloaded');
    return `${pods.length} new pods serve, ${onNewBlock.length} of them from the new block ${block}; nginx was not reloaded`;
  },
};

/** Names the pods that no request has reached since `fromMs`; undefined when there are none. */
export function podsNotServing(stage: Stage, fromMs: number, pods: readonly string[]): string | undefined {
  const counts = [...stage.accountSince(fromMs).countries.values()].map((account) => account.pods);
  const missing = pods.filter((pod) => !counts.some((count) => count.has(pod)));
  return missing.length === 0 ? undefined : `no request has reached ${missing.join(', ')}`;
}
