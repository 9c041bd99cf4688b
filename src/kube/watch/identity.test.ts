import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeKubeServer } from '../../../test/support/fake-kube-server.ts';
import { listeningLog } from '../../../test/support/listening-log.ts';
import { Identity } from './identity.ts';
import { IdentityWatch } from './identity-watch.ts';
import { defaultTiming } from './timing.ts';

function begin(known?: string) {
  const [clock, client, lines] = [new FakeClock(), new FakeKubeServer(), [] as string[]];
  const identity = new Identity({ client, clock, log: listeningLog(lines), timeoutMs: 1000 });
  identity.trust(known);
  const check = () => identity.check(new AbortController().signal);
  return { clock, client, identity, check, lines };
}

describe('a cluster that does not show its identity', () => {
  it.each(['forbidden', 'absent'])('is followed while none is known, with one warning: %s', async (cluster) => {
    const { client, identity, check, lines } = begin();
    client.cluster = cluster;
    await check();
    await check();
    expect([identity.known, identity.stranger]).toEqual([undefined, undefined]);
    expect(lines.filter((line) => line.includes('the identity of the cluster cannot be read'))).toHaveLength(1);
  });

  it('is another one when it has no kube-system and the known one has', async () => {
    const { client, identity, check } = begin('one');
    client.cluster = 'absent';
    await expect(check()).rejects.toMatchObject({
      reason: 'OtherCluster',
      message: 'https://here is a cluster without identity, the objects in force are of cluster one',
    });
    expect(identity.known).toBe('one');
    client.cluster = 'one';
    await check();
  });

  it('is not judged while its answer is a refusal: the right may have been taken away', async () => {
    const { client, identity, check } = begin('one');
    client.cluster = 'forbidden';
    await expect(check()).rejects.toMatchObject({ status: 403, reason: 'Forbidden' });
    expect([identity.known, identity.stranger]).toEqual(['one', undefined]);
  });

  it('is not judged by an answer that is no namespace', async () => {
    const { client, identity, check } = begin('one');
    client.cluster = '';
    await expect(check()).rejects.toMatchObject({ reason: 'BadAnswer' });
    expect(identity.known).toBe('one');
  });
});

describe('the look at the identity', () => {
  function watched(known: string) {
    const parts = begin(known);
    const { client, identity, clock } = parts;
    const strangers: (string | undefined)[] = [];
    const watch = new IdentityWatch({
      client,
      identity,
      clock,
      random: () => 0,
      everyMs: defaultTiming.identityMs,
      onStranger: () => strangers.push(identity.stranger),
    });
    watch.start();
    return { ...parts, watch, strangers };
  }

  it('comes every thirty seconds while the address stays', async () => {
    const { client, clock, strangers } = watched('one');
    client.cluster = 'two';
    await clock.advance(29_000);
    expect(strangers).toEqual([]);
    await clock.advance(1000);
    expect(strangers).toEqual(['two']);
  });

  it('comes within a second when the kubeconfig leads to another address', async () => {
    const { client, clock, strangers } = watched('one');
    await clock.advance(5000);
    client.cluster = 'two';
    client.server = 'https://there';
    await clock.advance(1000);
    expect(strangers).toEqual(['two']);
  });

  it('ends with the watch', async () => {
    const { client, clock, watch, strangers } = watched('one');
    client.cluster = 'two';
    watch.stop();
    await clock.advance(120_000);
    expect([strangers, clock.pending]).toEqual([[], 0]);
  });
});
