import type { ParityView } from '../model/steering-status.ts';
import { messageOf } from '../model/values.ts';
import { type Asking, get, type Place } from './ask.ts';
import type { Finding } from './finding.ts';
import { lackClauses } from './parity-text.ts';
import { stranger } from './snapshot.ts';
import { type SteeringPart, type SteeringSeen, steeringSchema, type ZoneSeen } from './steering-part.ts';
import { type JoinedZone, joinedZones, wantOf, type ZoneView } from './steering-zones.ts';

/** Asks a steering agent for its status. Never rejects. */
export async function askSteering(place: Place, options: Asking): Promise<SteeringPart> {
  const at = `${place.address.includes(':') ? `[${place.address}]` : place.address}:${place.port}`;
  try {
    const read = steeringSchema.safeParse(JSON.parse(await get(place, options)));
    return read.success
      ? { at, steering: read.data }
      : { at, problem: stranger('with what is no status of a steering agent') };
  } catch (error) {
    return { at, problem: error instanceof SyntaxError ? stranger('no JSON') : messageOf(error) };
  }
}

/** The agents that speak for DNS: those that lead. */
function leading(parts: readonly SteeringPart[]): readonly SteeringSeen[] {
  return parts.flatMap((part) => ('steering' in part && part.steering.leadership.leading ? [part.steering] : []));
}

/** What is wrong with DNS, as the steering agents see it; of the clusters in `told` it is known already what they lack. */
export function steeringFindings(
  parts: readonly SteeringPart[],
  told: ReadonlySet<string> = new Set(),
): readonly Finding[] {
  const silent = parts.flatMap((part): readonly Finding[] =>
    'problem' in part ? [{ severity: 'unknown', subject: `the steering agent at ${part.at}`, what: part.problem }] : [],
  );
  const [first] = leading(parts);
  if (first !== undefined)
    return [...silent, ...joinedZones(parts).flatMap(joinedFindings), ...lackFindings(first.parity ?? [], told)];
  const errors = parts.flatMap((part) => ('steering' in part ? (part.steering.leadership.error ?? []) : []));
  if (silent.length === parts.length) return silent;
  const why = errors.length === 0 ? '' : `: ${errors[0]}`;
  return [
    ...silent,
    { severity: 'warning', subject: 'no steering agent', what: `leads, so DNS follows nothing${why}` },
  ];
}

/** The condition of a zone that is written and not answered. */
const answeredOtherwise = 'AnsweredOtherwise';
function lackFindings(parity: readonly ParityView[], told: ReadonlySet<string>): readonly Finding[] {
  return parity
    .filter(({ cluster }) => !told.has(cluster))
    .flatMap((view) =>
      lackClauses(view).map((what) => ({ severity: 'fault' as const, subject: `cluster ${view.cluster}`, what })),
    );
}

/** What somebody else edited in the zones, as the agent that leads sees it. */
export function editedFindings(parts: readonly SteeringPart[]): readonly Finding[] {
  return driftFindings(leading(parts)[0]?.zones ?? []);
}

/** Where agents differ, each says of itself what it finds. */
function joinedFindings({ views, differs, contested }: JoinedZone): readonly Finding[] {
  if (!differs) return zoneFindings(views[0].zone);
  const each = views.flatMap(({ at, zone }) =>
    zoneFindings(zone).map((finding) => ({ ...finding, subject: `${finding.subject} at ${at}` })),
  );
  return contested ? [contestedFinding(views), ...each] : each;
}

function contestedFinding(views: JoinedZone['views']): Finding {
  const [{ zone }] = views;
  const wants = views.map((view) => `${view.at} ${wantOf(view.zone) ?? 'does not know'}`);
  return {
    severity: 'warning',
    subject: `${zone.provider} zone ${zone.zone}`,
    what: `has agents with different specs: two agents want different things (${wants.join(', ')})`,
  };
}

function zoneFindings(zone: ZoneSeen): readonly Finding[] {
  return [
    ...otherwiseFindings(zone),
    ...stateFindings(zone),
    ...driftFindings([zone]),
    ...heldFindings(zone),
    ...overlayFindings(zone),
  ];
}

/** What somebody else edited in zones of ours. */
function driftFindings(zones: readonly ZoneSeen[]): readonly Finding[] {
  return zones.flatMap(({ provider, zone, drift }): readonly Finding[] => {
    if (drift === undefined) return [];
    const what = `was edited by somebody else: ${drift.what}; see \`tideline steering drift FOLDER\` (Drift)`;
    return [{ severity: 'warning', subject: `${provider} zone ${zone}`, what, sinceMs: drift.sinceMs }];
  });
}

function heldFindings({ provider, zone, holds, returns }: ZoneSeen): readonly Finding[] {
  const subject = `${provider} zone ${zone}`;
  return [
    ...holds.map(({ policy, cluster, ends, sinceMs }): Finding => {
      const what = `holds back ${cluster} of policy ${policy}, which was down: ${ends} (HeldBack)`;
      return { severity: 'note', subject, what, sinceMs };
    }),
    ...returns.map(({ policy, overlay, ends, sinceMs }): Finding => {
      const what = `still follows the overlay ${overlay} of policy ${policy}, which has ended: ${ends} (OverlayReturning)`;
      return { severity: 'note', subject, what, sinceMs };
    }),
  ];
}

/** What a person should look after of what others propose. */
function overlayFindings({ overlays = [] }: ZoneSeen): readonly Finding[] {
  return overlays.map(({ reason, message }) => {
    const [subject = '', ...rest] = message.split(': ');
    return { severity: 'warning', subject, what: `${rest.join(': ')} (${reason})` };
  });
}

function otherwiseFindings({ provider, zone, conditions }: ZoneSeen): readonly Finding[] {
  return conditions
    .filter(({ reason }) => reason === answeredOtherwise)
    .map(({ reason, message }): Finding => {
      const what = `was applied, and name servers answer otherwise: ${message} (${reason})`;
      return { severity: 'fault', subject: `${provider} zone ${zone}`, what };
    });
}

function stateFindings({ provider, zone, state, conditions, sinceMs }: ZoneSeen): readonly Finding[] {
  const subject = `${provider} zone ${zone}`;
  const [condition] = conditions.filter(({ reason }) => reason !== answeredOtherwise);
  if (condition === undefined || (state !== 'waits' && state !== 'fails')) return [];
  const { reason, message, fix } = condition;
  const severity = state === 'fails' ? 'fault' : reason === 'Frozen' ? 'note' : 'warning';
  const what = state === 'fails' ? 'cannot be planned or written' : waiting(fix);
  return [
    { severity, subject, what: `${what}: ${message}${fix === undefined ? '' : `; ${fix}`} (${reason})`, sinceMs },
  ];
}

const waiting = (fix: string | undefined): string => (fix === undefined ? 'waits' : 'waits for a person');

/** One line for each zone: who applies what the policies want of it. Where agents differ it has a line for each, the worst first. */
export function steeringLines(parts: readonly SteeringPart[]): readonly string[] {
  const zones = joinedZones(parts);
  if (leading(parts).length === 0) return [];
  const nameOf = ({ zone }: ZoneView) => `${zone.zone} (${zone.provider})`;
  const width = Math.max(8, ...zones.map(({ views }) => nameOf(views[0]).length));
  const lines = zones.flatMap(({ views, differs, contested }) => {
    const text = ({ at, mode, zone }: ZoneView) => `${differs ? `${at}: ` : ''}${zoneText(mode, zone)}`;
    const shown = differs ? views : [views[0]];
    const why = contested ? ['two agents want different things'] : [];
    return [...shown.map(text), ...why].map(
      (line, at) => `${(at === 0 ? nameOf(views[0]) : '').padEnd(width)}  ${line}`,
    );
  });
  return ['', `${'DNS zone'.padEnd(width)}  steering agent`, ...lines];
}

function zoneText(mode: string, { state, generation, conditions }: ZoneSeen): string {
  const [condition] = conditions;
  const why = condition === undefined ? '' : ` (${condition.reason})`;
  switch (state) {
    case 'inForce':
      return `${mode === 'automatic' ? 'applied by itself' : 'applied by people'}: as wanted, generation ${generation ?? '?'}${condition === undefined ? '' : `, but${why}`}`;
    case 'applies':
      return 'is applied by itself now';
    case 'planned':
      return 'is not as wanted; the agent only observes';
    case 'waits':
      return `${condition?.fix === undefined ? 'waiting' : 'waiting for a person'}${why}`;
    case 'fails':
      return `failing, tried again${why}`;
    default:
      return state === 'unknown' ? 'not planned yet' : state;
  }
}
