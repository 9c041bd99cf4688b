import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { steeringAgent } from '../../../test/support/steering/agent.ts';
import { memoryProviders } from '../../../test/support/steering/memory.ts';
import { examplePlatform } from '../../../test/support/steering/world.ts';
import { systemClock } from '../../runtime/clock.ts';
import { silentLog } from '../../runtime/log.ts';
import type { SteeringAgent } from './agent.ts';
import { type KnownZones, knownZonesIn } from './known-zones.ts';
import { applyZone } from './plan/apply.ts';
import { planEach } from './plan/plan.ts';

const patience = { timeoutMs: 20_000, everyMs: 10 };
const memory = memoryProviders();
let agents: SteeringAgent[] = [];
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
});

it('keeps a zone whose policies vanished loud over restarts, and forgets it when nothing of ours is left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-known-'));
  const file = join(folder, 'zones.json');
  const kept = () => knownZonesIn(file, silentLog);
  let platform = await examplePlatform();
  const started = (known: KnownZones | undefined, more: object = {}): SteeringAgent => {
    const hands = { mode: 'automatic', write: memory } as const;
    const given = { platform: () => platform, hands, read: memory, providers: 'route53', everyMs: 100 } as const;
    const agent = steeringAgent({ ...given, known, ...more });
    agents.push(agent);
    agent.start();
    return agent;
  };
  const reasons = (agent: SteeringAgent) =>
    agent.status().zones.flatMap(({ conditions }) => conditions.map(({ reason }) => reason));
  const zone = { provider: 'route53', zone: 'video.example' } as const;

  // Also who only stands by keeps what the leader plans.
  const candidate = { leading: false, stand: () => {}, resign: async () => {}, status: () => ({ leading: false }) };
  const standby = started(await kept(), { candidate });
  await eventually('it is kept by who stands by', async () => (await kept()).zones.length === 1, patience);
  await standby.stop();
  await rm(file);
  const first = started(await kept());
  await eventually('the zone is in force', () => first.status().zones[0]?.state === 'inForce', patience);
  await first.stop();
  platform = { ...platform, policies: new Map() };
  for (let start = 0; start < 2; start += 1) {
    const agent = started(await kept());
    await eventually('it is loud', () => reasons(agent).includes('PolicyGone'), patience);
    await agent.stop();
    expect((await kept()).zones).toEqual([zone]);
  }
  const purpose = { zones: [zone], purpose: { kind: 'remove' } } as const;
  const [removal] = await planEach(platform, purpose, memory, systemClock.now());
  if (removal === undefined) throw new Error('no plan');
  await applyZone(removal, await memory('route53'));
  started(await kept());
  await eventually('it is kept no more', async () => (await kept()).zones.length === 0, patience);
  await rm(folder, { recursive: true });
});

it('keeps nothing of a file that is damaged or has a provider that is not known', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tideline-known-'));
  const file = join(folder, 'zones.json');
  for (const text of ['', '[{', '[{"provider":"nobody","zone":"a"}]', '{}']) {
    await writeFile(file, text);
    expect((await knownZonesIn(file, silentLog)).zones).toEqual([]);
  }
  await rm(folder, { recursive: true });
});
