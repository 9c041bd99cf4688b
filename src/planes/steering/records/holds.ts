import type { Hold, Holds } from '../../../answers/hold.ts';
import type { Progress } from '../../../answers/pace.ts';
import { formatRecord, type RecordSet } from '../../../answers/record.ts';
import type { Return, Returns } from '../../../answers/returns.ts';
import { compareText } from '../../../model/values.ts';
import { signature } from './journal.ts';
import { ownedName } from './registry.ts';

/**
 * What a zone holds back, and which overlays that have ended it still follows, for each policy in a TXT record set of its own,
 * `_held.<policy>._tideline.<zone>`, so that whoever plans next, on any machine, does the same. It is swapped together with the answers that it speaks of.
 */
const label = '_held';
const ttlSeconds = 60;
const form = /^hold=1 cluster=(\S+) since=(\d+) by=(\S+) healthy=(\d+)((?: back=\S+)?(?: next=\S+)?)$/;
const returnForm = /^return=1 overlay=(\S+) since=(\d+) by=(\S+)((?: back=\S+)?(?: next=\S+)?)$/;
const progressForm = /^(?: back=([A-Z]{2}(?:-[A-Z]{2})?|--))?(?: next=([A-Z]{2}(?:-[A-Z]{2})?|--):(\d+))?$/;
/** Users of unknown location, who have no code. */
const unknown = '--';

/** What the zone holds back, by policy; values in another form say nothing. */
export function readHolds(zone: string, records: readonly RecordSet[]): Holds {
  return new Map(
    valuesIn(zone, records).map(([policy, values]) => [policy, values.flatMap(parseHold).sort(byCluster)]),
  );
}

/** The overlays that have ended and whose users return in steps, by policy. */
export function readReturns(zone: string, records: readonly RecordSet[]): Returns {
  return new Map(
    valuesIn(zone, records).map(([policy, values]) => [policy, values.flatMap(parseReturn).sort(byOverlay)]),
  );
}

function valuesIn(zone: string, records: readonly RecordSet[]): readonly (readonly [string, readonly string[]])[] {
  return records.filter(isHoldIn(zone)).map(({ name, target }) => {
    const policy = name.slice(label.length + 1, -ownedName(zone).length - 1);
    return [policy, target.kind === 'values' ? target.values.map((value) => value.replaceAll('"', '')) : []];
  });
}

/** The records to delete and to create, so that the zone holds back, and leads back, exactly this. */
export function holdChanges(
  zone: string,
  { holds, returns }: { readonly holds: Holds; readonly returns: Returns },
  records: readonly RecordSet[],
): { readonly create: readonly RecordSet[]; readonly delete: readonly RecordSet[] } {
  const texts = (policy: string): readonly string[] => [
    ...(holds.get(policy) ?? []).map(holdText),
    ...(returns.get(policy) ?? []).map(returnText),
  ];
  const wanted = [...new Set([...holds.keys(), ...returns.keys()])]
    .filter((policy) => texts(policy).length > 0)
    .map((policy) => recordOf(zone, policy, texts(policy)));
  const standing = records.filter(isHoldIn(zone));
  const formatted = (some: readonly RecordSet[]): ReadonlySet<string> => new Set(some.map(formatRecord));
  const [wantedTexts, standingTexts] = [formatted(wanted), formatted(standing)];
  return {
    create: wanted.filter((record) => !standingTexts.has(formatRecord(record))),
    delete: standing.filter((record) => !wantedTexts.has(formatRecord(record))),
  };
}

const isHoldIn =
  (zone: string) =>
  ({ name, type }: RecordSet): boolean =>
    type === 'TXT' && name.startsWith(`${label}.`) && name.endsWith(`.${ownedName(zone)}`);

function recordOf(zone: string, policy: string, texts: readonly string[]): RecordSet {
  const values = texts.map((text) => `"${text}"`).sort(compareText);
  return { name: ownedName(zone, label, policy), type: 'TXT', target: { kind: 'values', ttlSeconds, values } };
}

function holdText({ cluster, sinceMs, by, healthySeconds, back }: Hold): string {
  const since = Math.floor(sinceMs / 1000);
  return `hold=1 cluster=${cluster} since=${since} by=${signature(by)} healthy=${healthySeconds}${progressText(back)}`;
}

function returnText({ overlay, sinceMs, by, back }: Return): string {
  const since = Math.floor(sinceMs / 1000);
  return `return=1 overlay=${overlay} since=${since} by=${signature(by)}${progressText(back)}`;
}

function progressText({ upTo, next }: Progress): string {
  const back = upTo === undefined ? '' : ` back=${upTo || unknown}`;
  return `${back}${next === undefined ? '' : ` next=${next.code || unknown}:${next.parts}`}`;
}

function parseHold(text: string): readonly Hold[] {
  const [, cluster, since, by, healthy, progress] = form.exec(text) ?? [];
  const back = parseProgress(progress);
  if (cluster === undefined || by === undefined || back === undefined) return [];
  return [{ cluster, sinceMs: Number(since) * 1000, by, healthySeconds: Number(healthy), back }];
}

function parseReturn(text: string): readonly Return[] {
  const [, overlay, since, by, progress] = returnForm.exec(text) ?? [];
  const back = parseProgress(progress);
  if (overlay === undefined || by === undefined || back === undefined) return [];
  return [{ overlay, sinceMs: Number(since) * 1000, by, back }];
}

function parseProgress(text: string | undefined): Progress | undefined {
  const found = text === undefined ? null : progressForm.exec(text);
  if (found === null) return undefined;
  const [, upTo, next, parts] = found;
  const codeOf = (code: string): string => (code === unknown ? '' : code);
  return {
    ...(upTo === undefined ? {} : { upTo: codeOf(upTo) }),
    ...(next === undefined ? {} : { next: { code: codeOf(next), parts: Number(parts) } }),
  };
}

const byCluster = (a: Hold, b: Hold): number => compareText(a.cluster, b.cluster);
const byOverlay = (a: Return, b: Return): number => compareText(a.overlay, b.overlay);
