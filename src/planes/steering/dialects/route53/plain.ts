import { type Distribution, sameShares } from '../../../../answers/distribution.ts';
import { Interpreter } from '../../../../answers/interpreter.ts';
import { groupKey, type RecordSet } from '../../../../answers/record.ts';
import { countries } from '../../../../model/geo/countries.ts';
import { isNetwork } from '../../../../model/geo/networks.ts';
import { type AddressType, addressTypes } from '../../compile/entries.ts';
import { SteeringError, type SteeringNotice } from '../../reasons.ts';
import type { Plain } from '../dialect.ts';
import { route53Limits } from './limits.ts';
import { coverOf, flatten } from './locations.ts';
import { Shapes } from './shapes.ts';
import { locationText } from './tree.ts';

/**
 * What a host answers while everything is healthy, as records of its name alone. One name has one routing: where all countries have
 * the same answer its weights are kept, else each location has one record with all its addresses, which are then equal.
 */
export function plainRecords(host: string, records: readonly RecordSet[]): Plain {
  const ofHost = records.filter(({ name }) => name === host);
  const types = addressTypes.filter((type) => ofHost.some((record) => record.type === type));
  const made = types.map((type) => plainOfType(host, type, records));
  const notices: SteeringNotice[] = made.some(({ evened }) => evened)
    ? [
        {
          reason: 'WeightsLost',
          message: `${host}: in countries with several clusters their addresses share the users evenly`,
        },
      ]
    : [];
  const lost: SteeringNotice = {
    reason: 'FailoverLost',
    message: `${host}: the records that stay have no health checks, so users of a cluster that fails get no other answer`,
  };
  const cut: SteeringNotice[] = ofHost.some(({ routing }) => routing?.kind === 'networks')
    ? [{ reason: 'NetworksLost', message: `${host}: users of networks are answered as their country is` }]
    : [];
  return { records: made.flatMap((one) => one.records), notices: types.length === 0 ? [] : [lost, ...notices, ...cut] };
}

interface PlainOfType {
  readonly records: readonly RecordSet[];
  /** True when shares could not be kept. */
  readonly evened: boolean;
}

function plainOfType(host: string, type: AddressType, records: readonly RecordSet[]): PlainOfType {
  const view = new Interpreter(records).query({ name: host, type }, () => true);
  const byKey = new Map<string, Distribution>();
  const keyOf = (country: string | undefined): string => {
    const answer = view.answer(country);
    const key = [...answer.keys()].sort().join(' ');
    byKey.set(key, byKey.get(key) ?? answer);
    return key;
  };
  const { apart } = new Shapes(Map.groupBy(records, groupKey)).of({ name: host, type });
  const states = apart.filter((place) => !isNetwork(place));
  const places = [...countries.map(({ code }) => code), ...states];
  const keys = new Map(places.map((code) => [code, keyOf(code)]));
  const star = keyOf(undefined);
  const base = { name: host, type };
  const ttlSeconds = ttlOf(records, type);
  const values = (key: string): RecordSet['target'] => ({ kind: 'values', ttlSeconds, values: key.split(' ') });
  if (byKey.size === 1 && places.every((code) => sameShares(view.answer(code), byKey.get(star) ?? new Map())))
    return world(base, byKey.get(star) ?? new Map(), values);
  const locations = flatten(coverOf((code) => keys.get(code) ?? star, star, states));
  if (locations.length > route53Limits.recordsPerName) {
    throw new SteeringError(
      'TooManyRecords',
      `${host} would need ${locations.length} plain records, Route 53 takes ${route53Limits.recordsPerName} for one name; let fewer countries differ first`,
    );
  }
  return {
    evened: places.some((code) => !isEven(view.answer(code))) || !isEven(view.answer(undefined)),
    records: locations.map(([location, key]) => ({
      ...base,
      setIdentifier: locationText(location),
      routing: { kind: 'geo', location },
      target: values(key),
    })),
  };
}

/** The same answer for all: one record, or one for each address by weight. */
function world(
  base: { readonly name: string; readonly type: AddressType },
  shares: Distribution,
  values: (key: string) => RecordSet['target'],
): PlainOfType {
  if (isEven(shares))
    return { evened: false, records: [{ ...base, target: values([...shares.keys()].sort().join(' ')) }] };
  const most = Math.max(...shares.values());
  const factors = Array.from({ length: 255 }, (_, index) => (index + 1) / most);
  const isWhole = (factor: number): boolean =>
    [...shares.values()].every((share) => Math.abs(share * factor - Math.round(share * factor)) < 1e-6);
  const factor = factors.find(isWhole) ?? 255 / most;
  return {
    evened: false,
    records: [...shares].map(([address, share]) => ({
      ...base,
      setIdentifier: address,
      routing: { kind: 'weighted', weight: Math.max(1, Math.round(share * factor)) },
      target: values(address),
    })),
  };
}

const isEven = (shares: Distribution): boolean =>
  new Set([...shares.values()].map((share) => share.toFixed(9))).size <= 1;

/** The shortest time to live of values of the type, which those below the host have. */
function ttlOf(records: readonly RecordSet[], type: AddressType): number {
  const ttls = records.flatMap((record) =>
    record.type === type && record.target.kind === 'values' ? [record.target.ttlSeconds] : [],
  );
  return Math.min(...ttls, 300);
}
