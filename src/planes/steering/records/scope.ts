import type { Holds } from '../../../answers/hold.ts';
import { groupKey, identityOf, type RecordSet } from '../../../answers/record.ts';
import type { Returns } from '../../../answers/returns.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { SteeringReason } from '../reasons.ts';
import { isAnswer, type WantedZone } from './changes.ts';
import { cutAbove } from './neighbours.ts';
import { isBelowRegistry, ownership, type Registry, registryOf } from './registry.ts';

/** A host that a plan leaves as it stands, while it plans the others. */
export interface HeldBack {
  readonly host: string;
  readonly reason: SteeringReason;
  /** A sentence without its end and without the host in front of it. */
  readonly message: string;
}

/** `hold` when a cluster is held back from now on, `failback` when users return to one. */
export type HoldWord = 'hold' | 'failback';

/** What a plan is for: the zone as the policies want it, or one step of ownership that leaves everything else as it stands. */
export type Task =
  | {
      readonly kind: 'everything';
      /** The generation that a rollback leads back to. */
      readonly rollback?: number;
      /** What the zone is to hold back; absent for what it holds back now. */
      readonly holds?: { readonly held: Holds; readonly word: HoldWord };
      /** The overlays that have ended and that the zone is still to follow in part; absent for those of now. */
      readonly returns?: Returns;
      /** A cluster to which the users of a policy return by a person's word. */
      readonly returned?: { readonly policy: string; readonly cluster: string };
    }
  /** The records of others on a host are replaced by ours. */
  | { readonly kind: 'adopt'; readonly host: string }
  /** Ours on a host are replaced by these, which are not ours. */
  | { readonly kind: 'release'; readonly host: string; readonly records: readonly RecordSet[] }
  /** What is ours of hosts that no policy names is deleted. */
  | { readonly kind: 'remove' };

export const everything: Task = { kind: 'everything' };

/** What a plan may do in a zone. */
export interface Scope {
  /** What the zone should hold of ours; of hosts that are left alone, what it holds now. */
  readonly wanted: WantedZone;
  readonly heldBack: readonly HeldBack[];
  /** The hosts whose answers may change, sorted. */
  readonly hosts: readonly string[];
}

/** The wanted zone without the hosts that records of others stand in the way of, and without those that are not of the task. */
export function scopeOf(
  wanted: WantedZone,
  current: readonly RecordSet[],
  dialect: Pick<Dialect, 'answerTypes'>,
  task: Task = everything,
): Scope {
  const zone = zoneOf(wanted.zone, current, dialect);
  const all = [...new Set([...wanted.hosts, ...zone.registry.hosts])].sort();
  const isOfTask = (host: string): boolean => {
    if (task.kind === 'everything') return true;
    return task.kind === 'remove' ? !wanted.hosts.includes(host) : task.host === host;
  };
  const heldBack = forTask(wanted, task)
    .hosts.filter(isOfTask)
    .flatMap((host) => obstacleOf(host, zone, task));
  const held = new Set(heldBack.map(({ host }) => host));
  const hosts = all.filter((host) => isOfTask(host) && !held.has(host));
  const untouched = new Set(all.filter((host) => !hosts.includes(host)));
  const asked = held.size > 0 && task.kind === 'adopt' ? wanted : forTask(wanted, task);
  return { wanted: leaveAsIs(asked, zone, untouched, task), heldBack, hosts };
}

function forTask(wanted: WantedZone, task: Task): WantedZone {
  if (task.kind === 'adopt') return { ...wanted, adopted: task.host };
  if (task.kind !== 'release') return wanted;
  const { host, records: released } = task;
  return {
    ...wanted,
    records: wanted.records.filter(({ name }) => name !== host),
    hosts: wanted.hosts.filter((name) => name !== host),
    released,
  };
}

/** A zone as it stands, and what of it is ours. */
interface Zone {
  readonly name: string;
  readonly current: readonly RecordSet[];
  readonly registry: Registry;
  readonly owned: ReadonlySet<RecordSet>;
  readonly answerTypes: ReadonlySet<string>;
  readonly byName: ReadonlyMap<string, readonly RecordSet[]>;
}

function zoneOf(name: string, current: readonly RecordSet[], dialect: Pick<Dialect, 'answerTypes'>): Zone {
  const registry = registryOf(name, current);
  const answerTypes = new Set(dialect.answerTypes);
  const owned = new Set(current.filter(ownership(name, registry, answerTypes)));
  return { name, current, registry, owned, answerTypes, byName: Map.groupBy(current, (one) => one.name) };
}

function obstacleOf(host: string, { name, byName, owned, answerTypes }: Zone, task: Task): readonly HeldBack[] {
  const cut = cutAbove(host, name, byName);
  if (cut !== undefined) return [{ host, ...cut }];
  const foreign = (byName.get(host) ?? []).filter((record) => !owned.has(record) && isAnswer(record, answerTypes));
  const [first] = foreign;
  if (first === undefined) return [];
  if (task.kind === 'adopt') return foreign.flatMap((record) => unadoptable(host, record)).slice(0, 1);
  if (foreign.some(({ target }) => target.kind === 'alias' && isBelowRegistry(name, target.name))) {
    const message = `its aliases lead to names of ours, but no host record says that it is ours; see \`tideline steering restore FOLDER\``;
    return [{ host, reason: 'UnownedRecord', message }];
  }
  const types = [...new Set(foreign.map(({ type }) => type))].join(' and ');
  const message = `${types} of it ${foreign.length === 1 ? 'exists and was' : 'exist and were'} not written by Tideline; take it over with \`tideline steering adopt ${host} FOLDER\`, or take the host out of the policy`;
  return [{ host, reason: 'UnownedRecord', message }];
}

function unadoptable(host: string, { type, routing }: RecordSet): readonly HeldBack[] {
  if (routing?.kind !== 'other' || routing.fields !== undefined) return [];
  const message = `${type} of it has ${routing.description}, which cannot be put back once it is replaced; delete it where it is managed`;
  return [{ host, reason: 'NotAdoptable', message }];
}

/**
 * Keeps what the zone holds of the hosts `untouched`, and every target of ours that their records or those of others lead to; the
 * rest is as wanted, without targets that nothing would lead to.
 */
function leaveAsIs(wanted: WantedZone, zone: Zone, untouched: ReadonlySet<string>, task: Task): WantedZone {
  const { name, current, owned, registry } = zone;
  const used = groupsBelow(name, current, (record) => !owned.has(record) || untouched.has(record.name));
  const isUsed = (record: RecordSet): boolean => untouched.has(record.name) || used.has(groupKey(record));
  // A step for one host deletes no target but those of that host, also none that an interrupted plan left behind.
  const below = 'host' in task ? groupsBelow(name, current, (record) => record.name === task.host) : undefined;
  const isOfOthers = (record: RecordSet): boolean =>
    below !== undefined && isBelowRegistry(name, record.name) && !below.has(groupKey(record));
  const kept = [...owned].filter((record) => isUsed(record) || isOfOthers(record));
  const ours = needed(name, wanted.records, (host) => !untouched.has(host));
  const identities = new Set(ours.map(identityOf));
  return {
    ...wanted,
    records: [...ours, ...kept.filter((record) => !identities.has(identityOf(record)))],
    hosts: [
      ...wanted.hosts.filter((host) => !untouched.has(host)),
      ...registry.hosts.filter((host) => untouched.has(host)),
    ].sort(),
    partial: untouched.size > 0,
  };
}

/** The records of the hosts that are meant, and those of ours below the registry that they lead to. */
export function needed(
  zone: string,
  records: readonly RecordSet[],
  isMeant: (host: string) => boolean,
): readonly RecordSet[] {
  const below = groupsBelow(zone, records, ({ name }) => !isBelowRegistry(zone, name) && isMeant(name));
  return records.filter((record) =>
    isBelowRegistry(zone, record.name) ? below.has(groupKey(record)) : isMeant(record.name),
  );
}

/** The groups of ours below the zone's registry that aliases lead to, by any number of steps, from the records that `isRoot` names. */
function groupsBelow(
  zone: string,
  records: readonly RecordSet[],
  isRoot: (record: RecordSet) => boolean,
): ReadonlySet<string> {
  const groups = Map.groupBy(records, groupKey);
  const found = new Set<string>();
  const follow = ({ target, type }: RecordSet): void => {
    if (target.kind !== 'alias' || !isBelowRegistry(zone, target.name)) return;
    const key = groupKey({ name: target.name, type });
    if (found.has(key)) return;
    found.add(key);
    for (const record of groups.get(key) ?? []) follow(record);
  };
  for (const record of records) if (isRoot(record)) follow(record);
  return found;
}
