import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { steeringAgent, withDrainOf, withFreeze, withGuard } from '../../../test/support/steering/agent.ts';
import { memoryProviders } from '../../../test/support/steering/memory.ts';
import { examplePlatform, withDefault } from '../../../test/support/steering/world.ts';
import type { Platform } from '../../model/spec/platform.ts';
import type { ParityView } from '../../model/steering-status.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { Registry } from '../../runtime/metrics.ts';
import type { Hands, SteeringAgent, SteeringAgentOptions } from './agent.ts';
import { applyPlans, applyZone } from './plan/apply.ts';
import { isEmpty, planEach, planZones } from './plan/plan.ts';
import type { ZoneProvider } from './providers/provider.ts';
import { SteeringError } from './reasons.ts';
import type { Batch } from './records/batches.ts';
import type { SpecTrouble } from './step.ts';

let agents: SteeringAgent[] = [];
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
});

const connect = memoryProviders();
let connectNow: typeof connect = connect;
let platform: Platform;

interface Changes extends Partial<SteeringAgentOptions> {
  readonly memory?: typeof connect;
}

/** Starts an agent for the Route 53 zone of the example; of several a test gives the same memory. */
function started({ memory = memoryProviders(), ...changes }: Changes = {}): SteeringAgent {
  connectNow = memory;
  const automatic: Hands = { mode: 'automatic', write: async (name, gate) => gated(await memory(name), gate) };
  const agent = steeringAgent({
    platform: () => platform,
    hands: automatic,
    read: memory,
    providers: 'route53',
    everyMs: 100,
    ...changes,
  });
  agents.push(agent);
  agent.start();
  return agent;
}

/** A provider in memory that asks the gate as a client does before each request. */
function gated(provider: ZoneProvider, gate: (request: 'read' | 'write') => void): ZoneProvider {
  return {
    ...provider,
    applyBatch: async (...words) => {
      gate('write');
      return provider.applyBatch(...words);
    },
  };
}

const zoneOf = (agent: SteeringAgent) => agent.status().zones[0];
const reasonsOf = (agent: SteeringAgent) => zoneOf(agent)?.conditions.map(({ reason }) => reason) ?? [];

function comes(agent: SteeringAgent, state: string, look: () => boolean = () => true): Promise<unknown> {
  return eventually(`the zone is ${state}`, () => zoneOf(agent)?.state === state && look(), {
    timeoutMs: 20_000,
    everyMs: 10,
    show: () => JSON.stringify(agent.status()),
  });
}

/** True when the zone is as the platform wants it. */
async function isWhole(): Promise<boolean> {
  const [plan] = await planZones(platform, 'route53', connectNow, systemClock.now());
  return plan !== undefined && isEmpty(plan);
}

/** The zone in memory, and a way to edit it as somebody else does. */
async function editable(memory: typeof connect) {
  const zone = await memory('route53');
  const state = await zone.read('video.example');
  const put = (changes: Batch['changes']) => zone.applyBatch(state, { changes } as Batch, new Map());
  return { provider: state, put };
}

describe('the steering agent', () => {
  it('has nothing to write with unless it is to apply, and shows what it would do', async () => {
    platform = await examplePlatform();
    const memory = memoryProviders();
    const onlyReads = async (name: Parameters<typeof memory>[0]) => {
      const provider = await memory(name);
      return { name, read: (zone: string) => provider.read(zone) };
    };
    const agent = started({ memory, read: onlyReads, hands: { mode: 'observe' } });
    await comes(agent, 'planned');
    expect(zoneOf(agent)).toMatchObject({ conditions: [], plan: { records: { delete: 0 }, movedShare: 0 } });
    expect([agent.status().applied, agent.status().mode]).toEqual([[], 'observe']);
    const other = started({ memory, read: onlyReads, hands: { mode: 'recommend' } });
    await comes(other, 'waits');
    expect(zoneOf(other)?.conditions).toMatchObject([
      {
        reason: 'OnlyRecommended',
        fix: expect.stringMatching(/^tideline steering apply FOLDER --provider route53 --plan [0-9a-f]{16}$/),
      },
    ]);
    expect(await isWhole()).toBe(false);
  });

  it('applies a Drain by itself, and takes it back by itself when it ends', async () => {
    platform = withGuard(await examplePlatform(), 1);
    const whole = platform;
    const agent = started();
    await comes(agent, 'inForce', () => agent.status().applied.length === 1);
    platform = withDrainOf(whole, 'paris', systemClock.now() + 3000);
    agent.refresh();
    await comes(agent, 'inForce', () => agent.status().applied.length === 2);
    expect(agent.status().applied[0]).toMatchObject({ countries: expect.arrayContaining(['FR']) });
    await comes(agent, 'inForce', () => agent.status().applied.length === 3);
    platform = whole;
    expect(await isWhole()).toBe(true);
  });

  it('lets wait what the guard does not allow, and names the command by which a person applies it', async () => {
    platform = await examplePlatform();
    const agent = started();
    await comes(agent, 'inForce');
    platform = withDefault(platform, 'newyork');
    agent.refresh();
    await comes(agent, 'waits', () => zoneOf(agent)?.conditions[0]?.fix !== undefined);
    const [condition] = zoneOf(agent)?.conditions ?? [];
    const command =
      /^tideline steering apply FOLDER --provider route53 --plan ([0-9a-f]{16}) --approve-share ([\d.]+)(?: --approve-failover ([\d.]+))?$/;
    const [, checksum = '', share, failover = '0'] = command.exec(condition?.fix ?? '') ?? [];
    expect(condition).toMatchObject({
      reason: 'NeedsApproval',
      message: expect.stringMatching(/the guard allows 25%/),
    });
    const plans = await planZones(platform, 'route53', connectNow, systemClock.now(), { probe: async () => 'healthy' });
    const approval = {
      checksum,
      share: Number(share),
      failoverShare: Number(failover),
      removals: [],
      down: [],
      broken: [],
    };
    expect(await applyPlans(plans, approval, connectNow)).toMatchObject({ applied: [{ zone: 'video.example' }] });
    await comes(agent, 'inForce');
    expect(agent.status().applied).toHaveLength(1);
  });

  it('says what somebody else edited while it stands, also where it only looks', async () => {
    platform = await examplePlatform();
    const memory = memoryProviders();
    const registry = new Registry();
    await comes(started({ memory }), 'inForce', () => true);
    const looking = started({ memory, hands: { mode: 'observe' }, registry });
    await comes(looking, 'inForce');
    expect(zoneOf(looking)?.drift).toBeUndefined();
    await agents[0]?.stop();
    const { provider, put } = await editable(memory);
    const edited = provider.records.find(({ name, type }) => name === 'www.video.example' && type === 'A');
    if (edited === undefined) throw new Error('no answer');
    await put([{ action: 'DELETE', record: edited }]);
    await comes(looking, 'planned', () => zoneOf(looking)?.drift !== undefined);
    expect(zoneOf(looking)?.drift).toMatchObject({ edits: 1, what: expect.stringMatching(/^1 record deleted; /) });
    expect(await registry.metrics()).toMatch(/^tideline_steering_drift\{[^}]*\} 1$/m);
    await put([{ action: 'CREATE', record: edited }]);
    await comes(looking, 'inForce', () => zoneOf(looking)?.drift === undefined);
  });

  it('keeps a zone in sight that no policy names any more while hosts of ours are left in it, and changes nothing', async () => {
    const memory = memoryProviders();
    platform = withGuard(await examplePlatform(), 1);
    const agent = started({ memory });
    await comes(agent, 'inForce');
    const zone = await memory('route53');
    const before = (await zone.read('video.example')).records;
    const whole = platform;
    platform = { ...platform, policies: new Map() };
    agent.refresh();
    await comes(agent, 'waits', () => reasonsOf(agent).includes('PolicyGone'));
    const [condition] = zoneOf(agent)?.conditions ?? [];
    expect(condition?.message).toContain('no TrafficPolicy names the zone any more, and www.video.example of ours');
    expect(condition?.fix).toMatch(
      /^put the TrafficPolicy back, or, .* tideline steering remove video\.example .*--provider route53$/,
    );
    expect((await zone.read('video.example')).records).toEqual(before);
    platform = whole;
    agent.refresh();
    await comes(agent, 'inForce');
    platform = { ...platform, policies: new Map() };
    const [removal] = await planEach(
      platform,
      { zones: [{ provider: 'route53', zone: 'video.example' }], purpose: { kind: 'remove' } },
      memory,
      systemClock.now(),
    );
    if (removal === undefined) throw new Error('no plan');
    await applyZone(removal, zone);
    agent.refresh();
    await eventually('it is forgotten', () => agent.status().zones.length === 0, { timeoutMs: 20_000, everyMs: 10 });
  });

  it('stops at a Freeze, which stands first, and goes on when it is thawed', async () => {
    platform = withFreeze(await examplePlatform());
    const agent = started();
    await comes(agent, 'waits');
    expect(zoneOf(agent)?.conditions).toMatchObject([
      { reason: 'Frozen', message: expect.stringMatching(/^FROZEN by anna/) },
    ]);
    platform = await examplePlatform();
    agent.refresh();
    await comes(agent, 'inForce');
  });

  it('begins no write any more once the platform is frozen, also in the middle of a plan', async () => {
    platform = await examplePlatform();
    const memory = memoryProviders();
    let writes = 0;
    const write = async (name: Parameters<typeof memory>[0], gate: (request: 'read' | 'write') => void) => {
      const provider = gated(await memory(name), gate);
      return {
        ...provider,
        async createHealthChecks(...words: Parameters<ZoneProvider['createHealthChecks']>) {
          platform = withFreeze(platform);
          return provider.createHealthChecks(...words);
        },
        async applyBatch(...words: Parameters<ZoneProvider['applyBatch']>) {
          await provider.applyBatch(...words);
          writes += 1;
        },
      } satisfies ZoneProvider;
    };
    const agent = started({ memory, hands: { mode: 'automatic', write } });
    await comes(agent, 'waits');
    expect([reasonsOf(agent), writes]).toEqual([['Frozen'], 0]);
  });

  it.each<[string, Partial<SpecTrouble>]>([
    ['InputInvalid', { invalid: 'traffic.yaml:7: no such field' }],
    ['InputUnread', { unread: ['API of cluster paris: it does not answer'] }],
    ['InputDoubted', { doubts: ['all Drains are gone'] }],
    ['InputContradicts', { odd: ['Drain/paris is another one in the API'] }],
  ])('applies nothing while %s, and goes on after that', async (reason, trouble) => {
    platform = await examplePlatform();
    const none: SpecTrouble = { unread: [], doubts: [], odd: [] };
    let now = { ...none, ...trouble };
    const agent = started({ trouble: () => now });
    await comes(agent, 'waits');
    expect(reasonsOf(agent)).toEqual([reason]);
    now = none;
    await comes(agent, 'inForce');
  });

  it('asks a person when users move and the health of no entry is known', async () => {
    platform = withGuard(await examplePlatform(), 1);
    const agent = started({ probe: async () => 'silent' });
    await comes(agent, 'inForce');
    platform = withDrainOf(platform, 'paris', systemClock.now() + 3_600_000);
    await comes(agent, 'waits');
    expect(reasonsOf(agent)).toEqual(['HealthUnseen']);
  });

  it('names what a provider refuses, and tries again by itself', async () => {
    platform = await examplePlatform();
    const memory = memoryProviders();
    let broken = true;
    const read = async (name: Parameters<typeof memory>[0]) => {
      if (broken) throw new SteeringError('ProviderUnreachable', 'nobody answers');
      return memory(name);
    };
    const clock = fastClock(20);
    const agent = started({ memory, read, clock });
    await comes(agent, 'fails', () => (zoneOf(agent)?.failures ?? 0) > 1);
    expect(zoneOf(agent)).toMatchObject({
      conditions: [{ reason: 'ProviderUnreachable', message: 'nobody answers' }],
      nextTryAtMs: expect.any(Number),
    });
    broken = false;
    await comes(agent, 'inForce');
    expect(zoneOf(agent)).not.toHaveProperty('failures');
  });

  it('reads again and goes on when somebody else wrote meanwhile', async () => {
    platform = await examplePlatform();
    const memory = memoryProviders();
    const write = async (name: Parameters<typeof memory>[0]) => {
      const provider = await memory(name);
      return {
        ...provider,
        async applyBatch(...words: Parameters<ZoneProvider['applyBatch']>) {
          // Another agent writes the same plan a moment earlier.
          await provider.applyBatch(...words);
          return provider.applyBatch(...words);
        },
      };
    };
    const agent = started({ memory, hands: { mode: 'automatic', write } });
    await comes(agent, 'inForce');
    expect(agent.status().applied).toEqual([]);
  });

  it('several agents without a Lease finish one plan together', async () => {
    platform = await examplePlatform();
    const memory = memoryProviders();
    const several = [1, 2, 3].map(() => started({ memory }));
    for (const agent of several) await comes(agent, 'inForce');
    expect(await isWhole()).toBe(true);
    expect(several.flatMap((agent) => agent.status().applied)).toHaveLength(1);
  });

  it('stands by while another one holds the Lease, and takes over', async () => {
    platform = await examplePlatform();
    const candidate = {
      leading: false,
      stand() {},
      resign: async () => {},
      status: () => ({ leading: candidate.leading, holder: 'another' }),
    };
    const agent = started({ candidate });
    await comes(agent, 'standby');
    expect(await isWhole()).toBe(false);
    candidate.leading = true;
    agent.refresh();
    await comes(agent, 'inForce');
  });

  it('does not fight with another agent that wants something else', async () => {
    platform = withGuard(await examplePlatform(), 1);
    const memory = memoryProviders();
    const other = withDefault(platform, 'newyork');
    const two = [started({ memory }), started({ memory, platform: () => other })];
    await Promise.any(two.map((agent) => comes(agent, 'waits')));
    const waiting = two.find((agent) => zoneOf(agent)?.state === 'waits');
    expect(waiting === undefined ? [] : reasonsOf(waiting)).toEqual(['AppliedTooOften']);
  });
});

/** A clock on which everything waits a part as long. */
function fastClock(times: number): Clock {
  return {
    ...systemClock,
    setTimeout: (what, ms) => systemClock.setTimeout(what, ms / times),
    monotonic: () => systemClock.monotonic() * times,
  };
}

describe('what clusters lack', () => {
  const patience = { timeoutMs: 20_000, everyMs: 20 };
  const lacking: ParityView = {
    policy: 'video',
    cluster: 'newyork',
    lacks: [{ host: 'www.video.example', reason: 'HostNotServed', message: 'no Ingress has it' }],
    count: 1,
    unknown: [{ why: 'no answer', hosts: ['api.video.example'], count: 1 }],
  };

  it('is looked at beside the plans, shown, and exported until it is over', async () => {
    platform = await examplePlatform();
    let views: readonly ParityView[] = [lacking];
    const registry = new Registry();
    const agent = started({ parity: async () => views, registry });
    await eventually('it is shown', () => agent.status().parity?.[0]?.count === 1, patience);
    const metric = () => registry.metrics();
    expect(await metric()).toMatch(
      /^tideline_steering_hosts_lacking\{policy="video",target_cluster="newyork",reason="HostNotServed"\} 1$/m,
    );
    expect(await metric()).toMatch(/^tideline_steering_hosts_unknown\{policy="video",target_cluster="newyork"\} 1$/m);
    views = [{ ...lacking, lacks: [], count: 0, unknown: [] }];
    await eventually('it is over', async () => !/hosts_lacking\{/.test(await metric()), patience);
    expect(await metric()).toMatch(/hosts_unknown\{policy="video",target_cluster="newyork"\} 0$/m);
  });

  it('does not hold up plans, and a look that fails leaves nothing known', async () => {
    platform = await examplePlatform();
    let fails = false;
    const agent = started({
      parity: async () => {
        if (!fails) return [lacking];
        throw new Error('no way there');
      },
    });
    await eventually('it is shown', () => agent.status().parity !== undefined, patience);
    fails = true;
    await eventually('nothing is known', () => agent.status().parity === undefined, patience);
    const slow = started({ parity: () => new Promise(() => undefined) });
    await comes(slow, 'inForce');
  });
});
