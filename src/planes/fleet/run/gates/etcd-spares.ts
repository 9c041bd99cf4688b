import { ask, type Heard } from '../ask.ts';
import type { Gate } from '../handlers.ts';
import { type FleetWorld, serversOf } from '../world.ts';
import { EtcdView } from './etcd-healthy.ts';
import { missing, unheard } from './texts.ts';

/** Asked before members are touched: without them the others are a quorum. Those that are touched may be ill, because that may be what is mended. */
export function etcdSpares(world: FleetWorld): Gate {
  return async ({ servers }, context) => {
    const expected = serversOf(world, context.wave.cluster, 'etcd');
    return judgeSpared(servers, await ask(context, expected, 'tideline_health.etcd', EtcdView));
  };
}

/** What is missing for these members to be spared. The view that sees the fewest healthy others counts; one or two voters never have one to spare. */
export function judgeSpared(spared: readonly string[], { said, problems }: Heard<EtcdView>): string | undefined {
  const views = [...said].filter(([server]) => !spared.includes(server)).map(([, view]) => view);
  const judged = (views.length > 0 ? views : [...said.values()]).map((view) => {
    const voters = Object.values(view.members).filter(({ learner }) => !learner);
    const others = voters.filter(({ name }) => !spared.includes(name));
    return { voters: voters.length, healthy: others.filter(({ healthy }) => healthy).length };
  });
  const [worst] = judged.toSorted((a, b) => a.healthy - b.healthy);
  if (worst === undefined) return missing(['no member answers', ...unheard(problems)]);
  const quorum = Math.floor(worst.voters / 2) + 1;
  if (worst.voters < 3 || worst.healthy >= quorum) return undefined;
  return `without ${spared.join(', ')} only ${worst.healthy} of ${worst.voters} voters are healthy, and ${quorum} are needed`;
}
