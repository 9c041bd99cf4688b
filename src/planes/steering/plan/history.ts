import { percent } from '../../../answers/distribution.ts';
import { messageOf } from '../../../model/values.ts';
import type { ZoneAtProvider } from '../compile/intent.ts';
import type { ProviderName } from '../dialects/dialect.ts';
import { dialects } from '../dialects/table.ts';
import type { ZoneReader, ZoneState } from '../providers/provider.ts';
import { hasDrifted } from '../records/changes.ts';
import { type History, historyOf, type PastApply, type Unknown } from '../records/history.ts';
import { keysOf } from './checks.ts';
import { isoTime } from './guard.ts';

/** What a zone says about its applies, or why it could not be read. */
export type ZoneHistory = ZoneAtProvider & ((History & Edited) | { readonly problem: string });

interface Edited {
  /** True when the records are not those that the zone's generation wrote, or a health check of them is overridden: somebody edited that. */
  readonly isEdited: boolean;
}

/** Reads zones; one that cannot be read does not hide the others. */
export async function readHistories(
  zones: readonly ZoneAtProvider[],
  connect: (provider: ProviderName) => Promise<ZoneReader>,
): Promise<readonly ZoneHistory[]> {
  const histories: ZoneHistory[] = [];
  for (const at of zones) {
    const reader = await connect(at.provider);
    try {
      const state = await reader.read(at.zone);
      const { records } = state;
      const history = historyOf(at.zone, records);
      const isEdited =
        (history.generation ?? 0) > 0 &&
        (hasDrifted(at.zone, records, dialects[at.provider]) || hasOverriddenChecks(state));
      histories.push({ ...at, ...history, isEdited });
    } catch (error) {
      histories.push({ ...at, problem: messageOf(error) });
    }
  }
  return histories;
}

/** True when somebody inverted or disabled a check of ours that records use. */
function hasOverriddenChecks({ records, healthChecks }: ZoneState): boolean {
  const used = keysOf(records);
  return [...healthChecks].some(([key, { settings }]) => used.has(key) && (settings.disabled || settings.inverted));
}

export function renderHistories(histories: readonly ZoneHistory[]): readonly string[] {
  return histories.flatMap((one) => {
    const title = `${one.provider} zone ${one.zone}`;
    if ('problem' in one) return [`${title}: not known: ${one.problem}`];
    if (one.generation === 0 && one.applies.length === 0) return [`${title}: Tideline never wrote it`];
    const blocks = [
      ...one.applies.map((apply) => ({ at: apply.first, lines: applyLines(apply, one) })),
      ...one.unknown.map((unknown) => ({ at: unknown.first, lines: [unknownLine(unknown)] })),
    ];
    return [
      one.generation === undefined
        ? `${title}: its generation record cannot be read; see \`tideline steering restore FOLDER\``
        : `${title}, generation ${one.generation}`,
      ...blocks.toSorted((a, b) => b.at - a.at).flatMap(({ lines }) => lines.map((line) => `  ${line}`)),
    ];
  });
}

/** The content of `renderHistories` for programs. The form is stable: fields are only ever added. */
export function historiesToJson(histories: readonly ZoneHistory[]): object {
  return {
    zones: histories.map((one) =>
      'problem' in one
        ? one
        : { ...one, applies: one.applies.map(({ atMs, ...apply }) => ({ at: isoTime(atMs), ...apply })) },
    ),
  };
}

function applyLines(apply: PastApply, zone: History & Edited): readonly string[] {
  const { first, generation: last, atMs, by, task, share, plan, inputs, isKept, reason } = apply;
  const generations = first === last ? `generation ${last}` : `generations ${first} to ${last}`;
  return [
    `${generations}, ${isoTime(atMs)}, ${by}: ${taskText(task)}, ${percent(share)} of the traffic moved, ${outcomeText(apply, zone)}`,
    ...(reason === undefined ? [] : [`  why: ${reason}`]),
    `  plan ${plan}, inputs ${inputs}${isKept ? '' : ', which the zone does not hold'}`,
  ];
}

function taskText(task: string): string {
  if (task === 'hold') return 'clusters that were down are held back';
  if (task === 'failback') return 'users return to clusters that were down';
  if (task === 'return') return 'users return from overlays that have ended';
  const [kind, of] = task.split(/:(.*)/s);
  if (of === undefined) return task;
  return kind === 'rollback' ? `rollback to generation ${of}` : `${kind} ${of}`;
}

function outcomeText({ outcome, generation }: PastApply, zone: History & Edited): string {
  if (outcome === 'cutOff') return 'cut off';
  if (outcome === 'unfinished') return 'not finished: cut off, or still at work';
  if (generation !== zone.generation) return 'done';
  return zone.isEdited ? 'edited since by somebody else' : 'in force';
}

function unknownLine({ first, last, isForgotten }: Unknown): string {
  const generations = first === last ? `generation ${first}` : `generations ${first} to ${last}`;
  if (isForgotten) return `${generations}: not remembered, only the last applies are`;
  return `${generations}: nothing says who wrote; a release without this history did, or its notes were deleted`;
}
