import { ChangeResourceRecordSetsCommand, type ResourceRecordSet, type Route53Client } from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatRecord } from '../../../src/answers/record.ts';
import { clientAddress } from '../../../src/geo/prefixes.ts';
import type { Platform } from '../../../src/model/spec/platform.ts';
import { applyZone } from '../../../src/planes/steering/plan/apply.ts';
import { isEmpty, type Purpose, planStep } from '../../../src/planes/steering/plan/plan.ts';
import { applyRestores, planRestores } from '../../../src/planes/steering/plan/restore.ts';
import { planRollback } from '../../../src/planes/steering/plan/rollback.ts';
import { route53Client } from '../../../src/planes/steering/providers/route53/client.ts';
import { route53 } from '../../../src/planes/steering/providers/route53/write.ts';
import { SteeringError } from '../../../src/planes/steering/reasons.ts';
import { isNote, registryName } from '../../../src/planes/steering/records/registry.ts';
import { createZone, credentials, testEmulator, timing } from '../../support/steering/emulator.ts';
import { resolveFor } from '../../support/steering/resolve.ts';
import { examplePlatform, Vips, withCheck, withDefault, withHost } from '../../support/steering/world.ts';

/**
 * Every kind of apply, whose process ends before each of the requests that write, and again after each of them before it has seen the answer. Whoever plans next
 * comes to the same zone as if nothing had happened, and the host that is not taken out was answered all the while.
 */
const zone = 'video.example';
const [www, api] = [`www.${zone}`, `api.${zone}`] as const;
const vips = new Vips();
let one: Platform;
let two: Platform;

beforeAll(async () => {
  await vips.start();
  one = await examplePlatform();
  two = withHost(one, api);
});

afterAll(() => vips.stop());

/** An account with one zone, and a writer whose process may end. */
class World {
  readonly client: Route53Client;
  readonly #emulator: Awaited<ReturnType<typeof testEmulator>>;
  /** The process ends at the write of this number, counted from 1, before it is sent or when it was answered. */
  endsAt: { readonly write: number; readonly when: 'sent' | 'answered' } | undefined;
  isEnded = false;
  #writes = 0;

  constructor(emulator: Awaited<ReturnType<typeof testEmulator>>) {
    this.#emulator = emulator;
    this.client = route53Client({ endpoint: emulator.apiUrl, credentials });
  }

  /** A writer as a process of its own. */
  writer() {
    const client = route53Client({ endpoint: this.#emulator.apiUrl, credentials });
    this.#writes = 0;
    this.isEnded = false;
    client.middlewareStack.add(
      (next) => async (args) => {
        const { method } = args.request as { readonly method: string };
        if (method !== 'GET') this.#writes += 1;
        const isThis = method !== 'GET' && this.#writes === this.endsAt?.write;
        if (isThis && this.endsAt?.when === 'sent') this.isEnded = true;
        if (this.isEnded) throw new SteeringError('Interrupted', 'the process ended');
        const answer = await next(args);
        if (isThis) this.isEnded = true;
        if (this.isEnded) throw new SteeringError('Interrupted', 'the process ended');
        return answer;
      },
      { step: 'finalizeRequest', name: 'ending', priority: 'low' },
    );
    return route53(client, timing);
  }

  async change(action: 'CREATE' | 'DELETE', set: ResourceRecordSet): Promise<void> {
    const { zoneId: HostedZoneId } = await this.writer().read(zone);
    const ChangeBatch = { Changes: [{ Action: action, ResourceRecordSet: set }] };
    await this.client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch }));
  }

  /** The zone without the notes and the number of the generation, which tell of the way to it. */
  async records(): Promise<readonly string[]> {
    const { records } = await this.writer().read(zone);
    return records
      .filter(({ name }) => !isNote(zone, name) && name !== registryName(zone))
      .map(formatRecord)
      .toSorted();
  }

  /** Asks all the while, and resolves with the answers that were empty. */
  watch(): { stop(): Promise<readonly string[]> } {
    let isDone = false;
    const loop = (async () => {
      const empty: string[] = [];
      while (!isDone) {
        for (const country of ['FR', 'US', 'JP'])
          await resolveFor(this.#emulator.dns, www, clientAddress(country, 0)).then(
            (addresses) => addresses.length > 0 || empty.push(country),
            (error: unknown) => empty.push(`${country}: ${String(error)}`),
          );
      }
      return empty;
    })();
    return {
      stop: () => {
        isDone = true;
        return loop;
      },
    };
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.#emulator.stop();
  }
}

let nowMs = Date.UTC(2026, 10, 28, 12);

/** Plans and carries out; resolves with true when nothing was left to do. */
async function carryOut(world: World, platform: Platform, purpose: Purpose = { kind: 'everything' }): Promise<boolean> {
  nowMs += 60_000;
  const writer = world.writer();
  const plan = await planStep(platform, writer, { zone, purpose }, nowMs);
  if (!isEmpty(plan)) await applyZone(plan, writer);
  return isEmpty(plan);
}

interface Kind {
  /** Brings the zone to where the step begins. */
  readonly before: (world: World) => Promise<unknown>;
  /** Plans the step anew, and carries it out. */
  readonly step: (world: World) => Promise<unknown>;
}

const kinds: Readonly<Record<string, Kind>> = {
  apply: {
    before: (world) => carryOut(world, one),
    step: (world) => carryOut(world, withDefault(withCheck(two, { intervalSeconds: 30 }), 'newyork')),
  },
  adopt: {
    async before(world) {
      const ResourceRecords = [{ Value: '192.0.2.10' }];
      await world.change('CREATE', { Name: `${www}.`, Type: 'A', TTL: 60, ResourceRecords });
      await carryOut(world, two);
    },
    step: (world) => carryOut(world, two, { kind: 'adopt', host: www }),
  },
  release: {
    before: (world) => carryOut(world, two),
    // Once it is done, nobody plans it again.
    step: (world) =>
      carryOut(world, two, { kind: 'release', host: www }).catch((error: unknown) => {
        if (!(error instanceof SteeringError) || error.reason !== 'NotOwned') throw error;
      }),
  },
  remove: {
    before: (world) => carryOut(world, two),
    step: (world) => carryOut(world, one, { kind: 'remove' }),
  },
  restore: {
    async before(world) {
      await carryOut(world, two);
      const { records } = await world.writer().read(zone);
      const registry = records.find(({ name }) => name === registryName(zone));
      if (registry?.target.kind !== 'values') throw new Error('no generation record');
      const ResourceRecords = registry.target.values.map((Value) => ({ Value }));
      const TTL = registry.target.ttlSeconds;
      await world.change('DELETE', { Name: `${registry.name}.`, Type: 'TXT', TTL, ResourceRecords });
    },
    async step(world) {
      const connect = async () => world.writer();
      const plans = await planRestores([{ provider: 'route53', zone }], connect, nowMs);
      const writer = world.writer();
      const { failure } = await applyRestores(plans, async () => writer, { by: 'test', nowMs });
      if (failure !== undefined) throw failure;
      await carryOut(world, two);
    },
  },
  rollback: {
    async before(world) {
      await carryOut(world, one);
      await carryOut(world, withDefault(two, 'newyork'));
    },
    async step(world) {
      nowMs += 60_000;
      const writer = world.writer();
      const plan = await planRollback(withDefault(two, 'newyork'), writer, { zone, apply: '1' }, nowMs);
      if (!isEmpty(plan)) await applyZone(plan, writer);
    },
  },
};

async function newWorld(): Promise<World> {
  const world = new World(await testEmulator({ timeCompression: 500, insyncDelayMs: 10 }));
  await createZone(world.client, zone);
  return world;
}

test.each(Object.entries(kinds))(
  '%s: cut off at each of its writes, whoever plans next finishes it',
  {
    timeout: 300_000,
  },
  async (_name, { before, step }) => {
    const whole = await newWorld();
    await before(whole);
    await step(whole);
    const wanted = await whole.records();
    await whole.stop();
    let ends = 0;
    for (let write = 1; ; write += 1) {
      let isLast = false;
      for (const when of ['sent', 'answered'] as const) {
        const world = await newWorld();
        try {
          await before(world);
          const watch = world.watch();
          world.endsAt = { write, when };
          const ending = await step(world).then(
            () => 'finished',
            (error: unknown) => (error instanceof SteeringError ? error.reason : error),
          );
          world.endsAt = undefined;
          if (ending === 'finished') isLast = true;
          else expect([write, when, ending]).toEqual([write, when, 'Interrupted']);
          if (ending !== 'finished') ends += 1;
          await step(world);
          expect(await watch.stop(), `${when} ${write}`).toEqual([]);
          expect(await world.records(), `${when} ${write}`).toEqual(wanted);
        } finally {
          await world.stop();
        }
      }
      if (isLast) break;
    }
    expect(ends).toBeGreaterThan(1);
  },
);
