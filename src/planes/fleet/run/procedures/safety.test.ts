import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fleetPlatform } from '../../../../../test/support/fleet.ts';
import { edited, server, situation } from '../../../../../test/support/situations.ts';
import type { RunWave, Step } from '../steps.ts';
import { addRun, removeRun, replaceRun } from './servers.ts';
import { hasRole, having, type Situation } from './situation.ts';
import { upgradeRun } from './upgrade.ts';

/** A cluster to which the steps of a run happen, one after the other, and what of them must not. */
class Cluster {
  readonly faults: string[] = [];
  readonly #situation: Situation;
  readonly #empty: readonly string[];
  readonly #voters: Map<string, boolean>;
  readonly #controls: Set<string>;

  /** `empty` are servers that were set up anew, and carry nothing. */
  constructor(situation: Situation, empty: readonly string[]) {
    this.#situation = situation;
    this.#empty = empty;
    const members = situation.facts.members.get('site0') ?? [];
    this.#voters = new Map(members.map(({ name, healthy }) => [name, healthy]));
    this.#controls = new Set(having(situation.before, 'site0', 'control-plane'));
  }

  wave({ steps, servers, kind }: RunWave): void {
    const drained = new Set<string>();
    for (const [index, step] of steps.entries()) {
      const why = `${kind} ${servers.join(' ')}: ${step.do}`;
      if (step.do === 'drain') this.#drain(step.servers, why);
      if (step.do === 'drain' || (step.do === 'call' && step.function.endsWith('withdraw_api')))
        for (const name of step.servers) drained.add(name);
      // A run ends where a gate does not hold.
      if (step.do === 'gate' && step.gate === 'EtcdHealthy')
        for (const name of this.#voters.keys()) this.#voters.set(name, true);
      if (step.do === 'call') this.#change(step);
      const retires = step.do === 'call' && step.function === 'tideline_units.retire';
      if (step.do === 'restart' || retires) this.#down(step.servers, why, { drained, retires });
      const carries = (name: string) => this.#situation.before.has(name) && !this.#empty.includes(name);
      const isGated = steps.slice(index).some((later) => later.do === 'gate');
      if (step.do === 'restart' && step.servers.some(carries) && !isGated) this.faults.push(`${why}: not gated`);
    }
  }

  #change({ function: name, arguments: given }: Extract<Step, { do: 'call' }>): void {
    const member = String(given['name']);
    if (name === 'tideline_etcd.remove' || name === 'tideline_etcd.replace') this.#voters.delete(member);
    if (name === 'tideline_etcd.promote') this.#voters.set(member, true);
    if (this.#voters.size > 0 && this.#answering([]) < this.#majority())
      this.faults.push(`${name} ${member}: no quorum`);
  }

  #drain(servers: readonly string[], why: string): void {
    for (const { spec } of this.#situation.pools) {
      const active = spec.blades.filter(({ name }) => this.#situation.before.has(name));
      const mine = active.filter(({ name }) => servers.includes(name)).length;
      if (mine > 1 && active.length - mine < spec.minAnnouncers) this.faults.push(`${why}: too few announce`);
    }
  }

  #down(
    servers: readonly string[],
    why: string,
    { drained, retires }: { readonly drained: ReadonlySet<string>; readonly retires: boolean },
  ): void {
    const { before, after } = this.#situation;
    const members = servers.filter((name) => this.#voters.get(name) === true);
    // One or two voters never have one to spare.
    if (members.length > 0 && this.#voters.size > 2 && this.#answering(members) < this.#majority())
      this.faults.push(`${why}: no quorum`);
    const apis = servers.filter((name) => this.#controls.has(name));
    if (apis.length > 0 && apis.length === this.#controls.size && this.#controls.size > 1)
      this.faults.push(`${why}: no API`);
    const isMember = (name: string) => hasRole(after.documents.get(name) ?? before.get(name), 'etcd');
    for (const name of servers)
      if (before.has(name) && !this.#empty.includes(name) && !drained.has(name) && !(retires && isMember(name)))
        this.faults.push(`${why}: ${name} is not drained`);
    if (retires) for (const name of servers) this.#controls.delete(name);
  }

  #answering(down: readonly string[]): number {
    return [...this.#voters].filter(([name, up]) => up && !down.includes(name)).length;
  }

  #majority(): number {
    return Math.floor(this.#voters.size / 2) + 1;
  }
}

const shapes = fc.record({
  workersPerSite: fc.integer({ min: 1, max: 6 }),
  bladesPerSite: fc.integer({ min: 2, max: 9 }),
  dedicatedEtcd: fc.boolean(),
});
const edits = fc.record({
  leave: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }),
  come: fc.array(fc.constantFrom('etcd', 'control-plane', 'worker'), { maxLength: 3 }),
  ill: fc.nat({ max: 6 }),
  verb: fc.constantFrom('add', 'remove', 'replace', 'upgrade'),
  version: fc.constantFrom('1.36.3', '1.36.4', '1.37.0'),
});

it('of no fleet and no request takes the quorum, all control planes, or too many blades', () => {
  let planned = 0;
  fc.assert(
    fc.property(shapes, edits, (shape, { leave, come, ill, verb, version }) => {
      const before = fleetPlatform(shape);
      const names = [...before.servers.keys()];
      const gone = [...new Set(leave.map((index) => names[index % names.length] ?? ''))];
      const fresh = come.map((role, index) => server(`new${index}`, [role], 60 + index));
      const leaving = verb === 'remove' ? gone : [];
      const moved = fleetPlatform({ ...shape, versions: { kubernetes: verb === 'upgrade' ? version : '1.36.3' } });
      const here = situation(before, edited(moved, leaving, verb === 'upgrade' ? [] : fresh));
      const members = [...(here.facts.members.get('site0') ?? [])].map((member, index) => ({
        ...member,
        healthy: index !== ill,
      }));
      const now = { ...here, facts: { ...here.facts, members: new Map([['site0', members]]) } };
      const result = {
        add: () =>
          addRun(
            now,
            fresh.map(({ metadata }) => metadata.name),
          ),
        remove: () => removeRun(now, gone),
        replace: () => replaceRun(now, gone),
        upgrade: () => upgradeRun(now, { cluster: 'site0' }),
      }[verb]();
      if (!result.ok) return;
      planned += 1;
      const cluster = new Cluster(now, verb === 'replace' ? gone : []);
      for (const wave of result.run.waves) cluster.wave(wave);
      expect(cluster.faults).toEqual([]);
    }),
    { numRuns: 150 },
  );
  expect(planned).toBeGreaterThan(30);
}, 60_000);
