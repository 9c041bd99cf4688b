import { percent } from '../../../answers/distribution.ts';
import { formatRecord } from '../../../answers/record.ts';
import { formatCountries } from './countries-text.ts';
import type { Drift, ZoneDrift } from './drift.ts';
import { isoTime } from './guard.ts';
import { recordLines } from './record-text.ts';

/** Lines for people: of each zone whether it is as it was written, what was edited, and who benefits. */
export function renderDrifts(drifts: readonly ZoneDrift[]): readonly string[] {
  return drifts.flatMap((one) => {
    const title = `${one.provider} zone ${one.zone}`;
    if ('problem' in one) return [`${title}: not known: ${one.problem}`];
    if (one.generation === 0) return [`${title}: Tideline never wrote it`];
    const { generation, records, checks } = one;
    const edited = records.flatMap(({ was, is }) => (was === undefined ? [] : [{ was, is }]));
    return [
      `${title}, generation ${generation}: ${standingText(one)}`,
      ...(records.length === 0 ? [] : [`  records, as written (-) and as they are (+):`]),
      ...recordLines({
        delete: edited.map(({ was }) => was),
        create: records.flatMap(({ is }) => is ?? []),
      }).map((line) => `    ${line}`),
      ...checks.map(
        ({ id, address, change }) => `  health check${id === undefined ? '' : ` ${id}`} of ${address}: ${change}`,
      ),
      ...ledLines(one),
    ];
  });
}

/** One line about what was edited and who benefits. */
export function driftText(drift: Pick<Drift, 'records' | 'checks' | 'shares'>): string {
  const { records, checks } = drift;
  const parts = [
    ...(['changed', 'deleted', 'added'] as const).flatMap((edit) => {
      const some = records.filter((one) => one.edit === edit);
      return some.length === 0 ? [] : [`${some.length} ${some.length === 1 ? 'record' : 'records'} ${edit}`];
    }),
    ...(checks.length === 0 ? [] : [`${checks.length} health ${checks.length === 1 ? 'check' : 'checks'} edited`]),
  ];
  return `${parts.join(', ') || 'its records are not those that were written'}; ${sharesText(drift)}`;
}

/** The content of `renderDrifts` for programs. The form is stable: fields are only ever added. */
export function driftsToJson(drifts: readonly ZoneDrift[]): object {
  return {
    zones: drifts.map((one) => {
      if ('problem' in one) return one;
      const { applied, records, ...others } = one;
      return {
        ...others,
        ...(applied === undefined
          ? {}
          : { applied: { at: isoTime(applied.atMs), by: applied.by, plan: applied.plan } }),
        records: records.map(({ edit, was, is }) => ({
          edit,
          ...(was === undefined ? {} : { was: formatRecord(was) }),
          ...(is === undefined ? {} : { is: formatRecord(is) }),
        })),
      };
    }),
  };
}

function standingText({ isEdited, comparedWith, applied, records, checks }: Drift): string {
  const by = applied === undefined ? 'somebody applied it' : `${applied.by} applied it at ${isoTime(applied.atMs)}`;
  if (comparedWith === 'unfinished')
    return 'an apply was cut off or is still at work, so nobody can tell what was edited; plan again';
  if (!isEdited) return `as ${by}`;
  const edited = `edited by somebody else since ${by}`;
  if (comparedWith === 'applied') return edited;
  const found =
    records.length + checks.length === 0
      ? 'it is as the policies want it today'
      : 'compared with what the policies want today';
  return `${edited}; what was written then is not known any more: ${found}`;
}

function ledLines({ led, shares, records, checks }: Drift): readonly string[] {
  if (records.length + checks.length === 0) return [];
  return [
    `  ${sharesText({ shares })}`,
    ...led.map(
      ({ host, family, before, after, countries }) =>
        `    ${host}${overText(family)}: ${before} -> ${after}: ${formatCountries(countries)}`,
    ),
    '  `tideline steering plan FOLDER` shows what puts it back, and what the policies want besides',
  ];
}

function sharesText({ shares }: Pick<Drift, 'shares'>): string {
  if (shares.length === 0) return 'nobody is led elsewhere while everything is healthy';
  return shares
    .map(
      ({ to, change, family }) =>
        `${to} ${change > 0 ? 'gains' : 'loses'} ${percent(Math.abs(change))} of the traffic${overText(family)}`,
    )
    .join(', ');
}

const overText = (family: string | undefined): string => (family === undefined ? '' : ` over ${family}`);
