import { ratesAmong } from '../../model/demand-rates.ts';
import { countryOfPlace } from '../../model/geo/states.ts';
import type { Floor, Need } from './compile/floors.ts';
import type { Arriving } from './compile/load.ts';
import type { Observed } from './compile/observed.ts';
import type { Proof } from './compile/prove.ts';
import { type ScalingWorld, utilisationOf } from './compile/world.ts';
import { figure, placeText, rateText, whenText } from './findings.ts';
import type { ScalingFinding } from './reasons.ts';

/** `5,000 requests/s of 4 countries, measured 12 min ago; reckoned with 6,000 (--margin 0.2)`: the last is what everything is computed from. */
export function demandLine({ demand }: ScalingWorld, arriving: readonly Arriving[], nowMs: number): string {
  const { rates, unknownPerSecond, factor, basis } = demand;
  const measured = [...new Set(Object.keys(rates.requestsPerSecond).map(countryOfPlace))];
  const rateOf = ratesAmong(rates, measured);
  const sum = measured.reduce((total, code) => total + rateOf(code), unknownPerSecond);
  const reckoned = arriving.reduce((total, one) => total + one.requestsPerSecond, 0);
  if (basis !== undefined) return `${basis}; reckoned with ${figure(reckoned)}`;
  const minutes = Math.max(0, Math.round((nowMs - rates.measuredAtMs) / 60_000));
  return `${rateText(sum)} of ${measured.length} countries, measured ${minutes} min ago; reckoned with ${figure(reckoned)} (--margin ${Math.round((factor - 1) * 1e6) / 1e6})`;
}

/** A floor in one line. */
export function floorLine(floor: Floor, observed: Observed | undefined): string {
  const { target, replicas, now, binding, spec } = floor;
  const ready = observed?.state === 'read' ? `, ${observed.ready} Ready` : '';
  const because =
    binding === undefined
      ? `the least it may have (replicas.min) is enough for every failure that it is to survive`
      : `${figure(binding.callsPerSecond)} calls/s ${whenText(binding)}`;
  return `${target} in ${placeText(spec)}: at least ${replicas} replicas${ready} (${now.replicas} for what comes now): ${because}${costText(floor)}`;
}

function costText({ replicas, now, spec }: Floor): string {
  if (spec.cost === undefined) return '';
  const { perReplicaHour, currency } = spec.cost;
  const inReserve = Math.max(0, replicas - now.replicas);
  return `; ${money(replicas * perReplicaHour)} ${currency} an hour, ${money(inReserve * perReplicaHour)} of them for failures`;
}

const percent = (share: number): string => `${figure(share * 100)} %`;

const money = (value: number): string => value.toFixed(2);

/** So many places are named; a value for programs has all. */
const mostPlaces = 5;

/** How the floor of a target comes about, failure by failure. */
export function floorExplanation(
  { platform }: ScalingWorld,
  floor: Floor,
  observed: Observed | undefined,
): readonly string[] {
  const { spec, now, needs, binding } = floor;
  const rows = [now, ...needs].map(
    (need) =>
      `  ${need === binding ? '→' : ' '} ${whenText(need)}: ${need.replicas} replicas for ${figure(need.callsPerSecond)} calls/s${fromText(need)}`,
  );
  const [second] = needs.filter((need) => need !== binding);
  return [
    floorLine(floor, observed),
    ...rows,
    `one replica serves ${figure(spec.callsPerSecond)} calls/s, ${percent(utilisationOf(platform, spec.cluster, false))} of them now and ${percent(utilisationOf(platform, spec.cluster, true))} on a loss; ${figure(spec.callsPerRequest)} come with each request`,
    ...(binding !== undefined && second !== undefined && binding !== now
      ? [
          `were it not to survive the loss of ${binding.failure}, ${Math.min(spec.replicas.max, Math.max(spec.replicas.min, now.replicas, second.replicas))} replicas would do`,
        ]
      : []),
  ];
}

function fromText({ from }: Need): string {
  if (from.length === 0) return '';
  const named = from.slice(0, mostPlaces).map(({ place, callsPerSecond }) => `${place} ${figure(callsPerSecond)}`);
  const more = from.length - named.length;
  return ` of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A proof in one line. `dnsSeconds` is how long users may be led to a lost cluster. */
export function proofLine(proof: Proof, dnsSeconds: number): string {
  const { failure, requestsPerSecond, movedPerSecond, shortages, leaves } = proof;
  const start = failure === 'nothing' ? 'now' : failure;
  const moved =
    failure === 'nothing'
      ? rateText(requestsPerSecond)
      : `${figure(movedPerSecond)} of ${rateText(requestsPerSecond)} move`;
  return `${shortages.length === 0 ? 'ok  ' : 'FAIL'} ${start}: ${moved}, ${outcome(proof, leaves.length === 0 ? 0 : dnsSeconds)}`;
}

function outcome({ shortages }: Proof, dnsSeconds: number): string {
  const after = (seconds: number): string => (seconds === 0 ? 'served' : `served within ${seconds} s`);
  const late = shortages.flatMap((one) => (one.kind === 'late' ? [one.seconds] : []));
  if (shortages.some(({ kind }) => !['late', 'unknown', 'unread'].includes(kind))) return 'and not all are served';
  if (shortages.length > late.length) return 'and nobody can say whether all are served';
  return late.length === 0
    ? after(dnsSeconds)
    : `${after(dnsSeconds + Math.max(...late))}: replicas have to come first`;
}

export function findingLines(findings: readonly ScalingFinding[]): readonly string[] {
  return findings.map(({ reason, message }) => `  ${reason}: ${message}`);
}
