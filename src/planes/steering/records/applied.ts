import type { RecordSet } from '../../../answers/record.ts';
import type { Limits } from '../dialects/dialect.ts';
import type { Batch } from './batches.ts';
import type { Change } from './change.ts';
import { signature } from './journal.ts';
import { ownedName } from './registry.ts';

/**
 * An apply in a zone, as a TXT record set of its own says, `_apply-<first generation>._tideline.<zone>`. The first batch of the apply creates
 * it as begun, and the last one says that it is done: an apply that was cut off stays begun for everybody to see.
 */
export interface AppliedPlan {
  /** Checksum of the whole plan, which may speak of other zones as well. */
  readonly plan: string;
  /** Milliseconds since the epoch, whole seconds. */
  readonly atMs: number;
  readonly by: string;
  readonly reason?: string;
  /** What was done: `apply`, `adopt:<host>`, `release:<host>`, `remove`, `restore`, `rollback:<generation>`, `hold`, `failback`, `return`. */
  readonly task: string;
  /** The generation that its first batch wrote. */
  readonly first: number;
  /** The generation that its last batch wrote, or was to write. */
  readonly generation: number;
  readonly outcome: 'begun' | 'done';
  /** Share of the traffic, 0..1, that was answered otherwise afterwards: of the host of which most was. */
  readonly share: number;
  /** Digest of what the plan was made from. */
  readonly inputs: string;
  /** Digest of the records that it left, as the generation record says it. */
  readonly records: string;
}

/** So many applies are remembered in a zone. */
export const mostApplies = 50;
/** Of a reason so many characters are kept. In the record a character may take nine. */
const longestReason = 120;
const reasonInValue = 240;
const ttlSeconds = 60;
const label = '_apply-';
/** The first and the last batch hold the record once and twice: a head, the task and five parts of a reason. */
const mostValues = 7;
const longestValue = 255;
const taskStart = 'task=';

/** The limits with room in each batch for the record of the apply. */
export function withRoom(limits: Limits): Limits {
  const elements = limits.batch.elements - 2 * mostValues;
  const characters = limits.batch.characters - 2 * mostValues * longestValue;
  return { ...limits, batch: { ...limits.batch, elements, characters } };
}

/** An apply, and the record that says so. */
interface Found {
  readonly applied: AppliedPlan;
  readonly record: RecordSet;
}

/** The applies that the zone remembers, the latest first. */
export function readApplied(zone: string, records: readonly RecordSet[]): readonly AppliedPlan[] {
  return findApplied(zone, records).map(({ applied }) => applied);
}

/** The records of those applies that are forgotten when one more is written. */
export function forgottenApplies(zone: string, records: readonly RecordSet[]): readonly RecordSet[] {
  return findApplied(zone, records)
    .slice(mostApplies - 1)
    .map(({ record }) => record);
}

/**
 * The batches, of which the first one says that the apply has begun, and the last one that it is done. Where the generation record was lost,
 * the numbers begin anew: a record of that number that is still there gives way.
 */
export function withApplied(
  batches: readonly Batch[],
  zone: string,
  records: readonly RecordSet[],
  applied: Omit<AppliedPlan, 'outcome'>,
): readonly Batch[] {
  const begun = recordOf(zone, { ...applied, outcome: 'begun' });
  const done: Change = { action: 'CREATE', record: recordOf(zone, { ...applied, outcome: 'done' }) };
  const former = records.filter(({ name, type }) => name === begun.name && type === begun.type);
  const start = former.map((record): Change => ({ action: 'DELETE', record }));
  return batches.map(({ changes, ...batch }, index) => {
    const isFirst = index === 0;
    const isLast = index === batches.length - 1;
    const others = changes.filter(({ record }) => !former.includes(record));
    const before: readonly Change[] = isFirst ? start : [{ action: 'DELETE', record: begun }];
    if (isLast) return { ...batch, changes: [...others, ...before, done] };
    return { ...batch, changes: isFirst ? [...others, ...before, { action: 'CREATE', record: begun }] : others };
  });
}

function findApplied(zone: string, records: readonly RecordSet[]): readonly Found[] {
  const end = ownedName(zone, '');
  const ours = records.filter(({ name, type }) => type === 'TXT' && name.startsWith(label) && name.endsWith(end));
  return ours
    .flatMap((record): readonly Found[] => {
      const applied = parse(record);
      return applied === undefined ? [] : [{ applied, record }];
    })
    .sort((a, b) => b.applied.first - a.applied.first);
}

function recordOf(zone: string, applied: AppliedPlan): RecordSet {
  const { plan, atMs, by, task, first, generation, outcome, share, inputs, records, reason } = applied;
  const when = `at=${Math.floor(atMs / 1000)} by=${signature(by)}`;
  const head = `apply=1 ${outcome} generation=${first}-${generation} plan=${plan} ${when} share=${share.toFixed(4)} inputs=${inputs} records=${records}`;
  const why = encoded((reason ?? '').slice(0, longestReason)).match(partsOfReason) ?? [];
  const values = [
    head,
    `${taskStart}${task}`.slice(0, longestValue),
    ...why.map((part, index) => `why${index}=${part}`),
  ].map((text) => `"${text}"`);
  return { name: ownedName(zone, `${label}${first}`), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

const partsOfReason = new RegExp(`.{1,${reasonInValue}}`, 'g');
const form =
  /^apply=1 (begun|done) generation=(\d+)-(\d+) plan=([0-9a-f]{16}) at=(\d+) by=(\S+) share=([\d.]+) inputs=(\w+) records=(\w+)$/;

function parse({ target }: RecordSet): AppliedPlan | undefined {
  if (target.kind !== 'values') return undefined;
  const texts = target.values.map((value) => value.replaceAll('"', ''));
  const [outcome, first, generation, plan, at, by, share, inputs, records] = texts.flatMap(
    (text) => form.exec(text)?.slice(1) ?? [],
  );
  const task = texts.find((text) => text.startsWith(taskStart))?.slice(taskStart.length);
  if (task === undefined || plan === undefined || by === undefined) return undefined;
  if (inputs === undefined || records === undefined) return undefined;
  const why = texts.filter((text) => /^why\d=/.test(text)).sort();
  const reason = decoded(why.map((text) => text.slice('why0='.length)).join(''));
  return {
    plan,
    atMs: Number(at) * 1000,
    by,
    task,
    first: Number(first),
    generation: Number(generation),
    outcome: outcome === 'done' ? 'done' : 'begun',
    share: Number(share),
    inputs,
    records,
    ...(reason === '' ? {} : { reason }),
  };
}

/** A reason as it stands in a TXT record, in the form of an address: printable, without quotes and backslashes. */
function encoded(reason: string): string {
  return encodeURIComponent(reason.toWellFormed()).replaceAll('%20', ' ').replaceAll('%2C', ',').replaceAll('%3A', ':');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
