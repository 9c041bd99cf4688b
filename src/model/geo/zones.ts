import { countryOf } from './countries.ts';
import { stateOf } from './states.ts';

/** Where most people of a country with several time zones live; Kosovo has a code that ICU has no zone for. */
const principal: Readonly<Record<string, string>> = {
  AQ: 'Antarctica/McMurdo',
  AR: 'America/Argentina/Buenos_Aires',
  AU: 'Australia/Sydney',
  BR: 'America/Sao_Paulo',
  CA: 'America/Toronto',
  CD: 'Africa/Kinshasa',
  CL: 'America/Santiago',
  CN: 'Asia/Shanghai',
  CY: 'Asia/Nicosia',
  DE: 'Europe/Berlin',
  EC: 'America/Guayaquil',
  ES: 'Europe/Madrid',
  FM: 'Pacific/Chuuk',
  GL: 'America/Nuuk',
  ID: 'Asia/Jakarta',
  KI: 'Pacific/Tarawa',
  KZ: 'Asia/Almaty',
  MH: 'Pacific/Majuro',
  MN: 'Asia/Ulaanbaatar',
  MX: 'America/Mexico_City',
  MY: 'Asia/Kuala_Lumpur',
  NZ: 'Pacific/Auckland',
  PF: 'Pacific/Tahiti',
  PG: 'Pacific/Port_Moresby',
  PS: 'Asia/Gaza',
  PT: 'Europe/Lisbon',
  RU: 'Europe/Moscow',
  UA: 'Europe/Kyiv',
  UM: 'Pacific/Wake',
  US: 'America/New_York',
  UZ: 'Asia/Tashkent',
  XK: 'Europe/Belgrade',
};

/** The states of the US that do not keep the time of New York, by the zone in which most of their people live. */
const states: Readonly<Record<string, string>> = {
  'America/Chicago': 'AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI',
  'America/Denver': 'CO ID MT NM UT WY',
  'America/Phoenix': 'AZ',
  'America/Los_Angeles': 'CA NV OR WA',
  'America/Anchorage': 'AK',
  'Pacific/Honolulu': 'HI',
};
const zoneOfState = new Map<string, string>(
  Object.entries(states).flatMap(([zone, codes]) => codes.split(' ').map((code) => [`US-${code}`, zone] as const)),
);

/**
 * The IANA time zone in which most people of a country or state live. Undefined for a code that is none. Countries of one zone have that
 * which ICU, and so Node, knows of them.
 */
export function zoneOf(place: string): string | undefined {
  if (stateOf(place) !== undefined) return zoneOfState.get(place) ?? principal['US'];
  if (countryOf(place) === undefined) return undefined;
  return principal[place] ?? zonesOf(place)[0];
}

/** TypeScript 7.0 has no types for what ECMA-402 calls Intl Locale Info. */
interface LocaleInfo {
  readonly getTimeZones?: () => readonly string[] | undefined;
}

function zonesOf(country: string): readonly string[] {
  const locale: Intl.Locale & LocaleInfo = new Intl.Locale(`und-${country}`);
  return locale.getTimeZones?.() ?? [];
}
