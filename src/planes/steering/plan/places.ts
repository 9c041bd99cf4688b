import { countries } from '../../../model/geo/countries.ts';
import type { AddressType } from '../compile/entries.ts';
import type { Reading } from '../dialects/dialect.ts';

/** The type whose records answer the users of a family: its own or, where the host has none, those of the other family. */
export function servedType(reading: Reading, host: string, type: AddressType): AddressType {
  const types = reading.types(host);
  return types.includes(type) ? type : (types[0] ?? type);
}

/**
 * The places whose users one of these readings may answer apart: all countries, then the states and networks that it names. What a country is
 * answered is then what its users of no such state or network are.
 */
export function placesApart(readings: readonly Reading[], host: string, type: AddressType): readonly string[] {
  const apart = readings.flatMap((reading) => reading.apart(host, servedType(reading, host, type)));
  return apart.length === 0 ? codes : [...codes, ...new Set(apart.toSorted())];
}

const codes: readonly string[] = countries.map(({ code }) => code);
