import type { Hold, Holds } from '../../../answers/hold.ts';
import type { Progress } from '../../../answers/pace.ts';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import { compareText } from '../../../model/values.ts';
import { signature } from './journal.ts';
import { ownedName } from './registry.ts';

/**
 * What a zone holds back, for each policy in a TXT record set of its own, `_held.<policy>._tideline.<zone>`, so that whoever plans next, on
 * any machine, holds the same. It is swapped together with the answers that it speaks of.
 */
const label = '_held';
const ttlSeconds = 60;
const form =
  /^hold=1 cluster=(\S+) since=(\d+) by=(\S+) healthy=(\d+)(?: back=([A-Z]{2}(?:-[A-Z]{2})?|--))?(?: next=([A-Z]{2}(?:-[A-Z]{2})?|--):(\d+))?$/;
/** Users of unknown location, who have no code. */
const unknown = '--';

/** What the zone holds back, by policy; values in another form say nothing. */
export function readHolds(zone: string, records: readonly RecordSet[]): Holds {
  return new Map(
    records.filter(isHoldIn(zone)).map(({ name, target }) => {
      const policy = name.slice(label.length + 1, -ownedName(zone).length - 1);
      return [policy, target.kind === 'values' ? target.values.flatMap(parse).sort(byCluster) : []] as const;
    }),
  );
}

/** The records to delete and to create, so that the zone holds back exactly this. */
export function holdChanges(
  zone: string,
  holds: Holds,
  records: readonly RecordSet[],
): { readonly create: readonly RecordSet[]; readonly delete: readonly RecordSet[] } {
  const wanted = [...holds].filter(([, some]) => some.length > 0).map(([policy, some]) => recordOf(zone, policy, some));
  const standing = records.filter(isHoldIn(zone));
  const texts = (some: readonly RecordSet[]): ReadonlySet<string> => new Set(some.map(formatRecord));
  const [wantedTexts, standingTexts] = [texts(wanted), texts(standing)];
  return {
    create: wanted.filter((record) => !standingTexts.has(formatRecord(record))),
    delete: standing.filter((record) => !wantedTexts.has(formatRecord(record))),
  };
}

const isHoldIn =
  (zone: string) =>
  ({ name, type }: RecordSet): boolean =>
    type === 'TXT' && name.startsWith(`${label}.`) && name.endsWith(`.${ownedName(zone)}`);

function recordOf(zone: string, policy: string, holds: readonly Hold[]): RecordSet {
  const values = holds.map((hold) => `"${textOf(hold)}"`).sort(compareText);
  return { name: ownedName(zone, label, policy), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

function textOf({ cluster, sinceMs, by, healthySeconds, back }: Hold): string {
  const upTo = back.upTo === undefined ? '' : ` back=${back.upTo || unknown}`;
  const next = back.next === undefined ? '' : ` next=${back.next.code || unknown}:${back.next.parts}`;
  const since = Math.floor(sinceMs / 1000);
  return `hold=1 cluster=${cluster} since=${since} by=${signature(by)} healthy=${healthySeconds}${upTo}${next}`;
}

function parse(value: string): readonly Hold[] {
  const [, cluster, since, by, healthy, upTo, next, parts] = form.exec(value.replaceAll('"', '')) ?? [];
  if (cluster === undefined || by === undefined) return [];
  const codeOf = (code: string): string => (code === unknown ? '' : code);
  const back: Progress = {
    ...(upTo === undefined ? {} : { upTo: codeOf(upTo) }),
    ...(next === undefined ? {} : { next: { code: codeOf(next), parts: Number(parts) } }),
  };
  return [{ cluster, sinceMs: Number(since) * 1000, by, healthySeconds: Number(healthy), back }];
}

const byCluster = (a: Hold, b: Hold): number => compareText(a.cluster, b.cluster);
