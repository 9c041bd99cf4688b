import fc from 'fast-check';
import type { Path } from '../../../src/model/spec/document.ts';
import { oddAddressText } from './spec-addresses.ts';

/**
 * A change to one value of an object, after which the object may be invalid or not. A result of `undefined` removes the
 * value.
 */
type Change = (value: unknown) => unknown;

const constant =
  (value: unknown): Change =>
  () =>
    structuredClone(value);
const onText =
  (change: (text: string) => unknown): Change =>
  (value) =>
    typeof value === 'string' ? change(value) : value;
const onList =
  (change: (list: readonly unknown[]) => unknown): Change =>
  (value) =>
    Array.isArray(value) ? change(value) : value;
const onNumber =
  (change: (number: number) => unknown): Change =>
  (value) =>
    typeof value === 'number' ? change(value) : value;
const onMapping =
  (change: (mapping: object) => unknown): Change =>
  (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? change(value) : value;

const wrongTypes = [0, 1, -1, 1.5, 10, 30, true, false, '', '0', 'x', 'true', [], {}, [[]], [{}], { x: 1 }, null];
const numbers = [
  0,
  1,
  11,
  129,
  256,
  86_401,
  65_535,
  65_536,
  4_294_967_294,
  4_294_967_295,
  -0.5,
  0.1,
  1e-9,
  90.5,
  -181,
  1e9,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  1e19,
  1e300,
];
const texts = [
  'FR',
  'UK',
  'XK',
  'BV',
  'fr',
  'EU',
  'EUR',
  'HTTP',
  'http',
  'cloud',
  'a.example',
  'A.example',
  'a.example.',
  '-a',
  'a-',
  'a_b',
  'a.b',
  '*.a.example',
  'xn--a',
  'é',
  'e\u0301',
  'ﬁ',
  'ａ',
  '\u0000',
  '\ufeff',
  '🏄',
  ' ',
  '\t',
  '2026-02-30T00:00:00Z',
  '2026-12-24T18:00:00',
  '2026-12-24T18:00Z',
  '2026-12-24t18:00:00z',
  '2026-12-24T24:00:00Z',
  '2026-12-24T23:59:60Z',
  '2026-12-24T18:00:00+24:00',
  '2026-12-24T18:00:00,5Z',
  '2026-12-24 18:00:00Z',
  '2028-02-29T00:00:00.123456789Z',
  '0000-01-01T00:00:00Z',
  '2026-12-24',
];
const lengths = [1, 2, 3, 7, 8, 32, 33, 45, 49, 63, 64, 65, 128, 129, 247, 253, 254, 500, 501, 1024, 1025];
const fieldNames = [
  'x',
  'status',
  'context',
  'none',
  'manifests',
  'kubeconfig',
  'anycast',
  'edgePool',
  'Name',
  'weigth',
  'constructor',
  '__proto__',
  'a.b',
  'é',
  '',
];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(...wrongTypes).map(constant),
  fc.constantFrom(...numbers).map((value) => onNumber(() => value)),
  fc.constantFrom(...texts).map((value) => onText(() => value)),
  { arbitrary: oddAddressText.map((value) => onText(() => value)), weight: 2 },
  fc.string({ unit: 'binary', maxLength: 70 }).map((value) => onText(() => value)),
  fc.constant(constant(undefined)),
  fc.constantFrom(
    onText((text) => text.toUpperCase()),
    onText((text) => text.toLowerCase()),
    onText((text) => ` ${text}`),
    onText((text) => `${text} `),
    onText((text) => `${text}\n`),
    onText((text) => `${text}.`),
    onText((text) => Number(text)),
    onText((text) => [text]),
    onNumber(String),
    onNumber((number) => -number),
    onNumber((number) => number + 0.5),
    onList((list) => list[0]),
    onList(() => []),
    onList((list) => [...list, ...list.slice(0, 1)]),
    onList((list) => [...list, ...list].slice(0, list.length + 2)),
    onList((list) => [...list, null]),
    onList((list) => Object.fromEntries(list.entries())),
    onMapping((mapping) => [mapping]),
    onMapping(() => ({})),
    onMapping((mapping) => Object.values(mapping)[0]),
    onMapping((mapping) =>
      Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, value === 100 ? 0 : value])),
    ),
  ),
  fc
    .constantFrom(...lengths)
    .map((length) => onText((text) => (text === '' ? 'a' : text).repeat(length).slice(0, length))),
  fc.constantFrom(...lengths).map((length) => onText(() => '🏄'.repeat(length))),
  fc
    .constantFrom(...lengths)
    .map((length) =>
      onList((list) => (list.length === 0 ? [] : Array.from({ length }, (_, at) => renumbered(list[0], at)))),
    ),
  fc
    .tuple(fc.constantFrom(...fieldNames), fc.constantFrom(1, 'x', true, null, {}, []))
    .map(([key, value]) => onMapping((mapping) => ({ ...mapping, ...Object.fromEntries([[key, value]]) }))),
);

/** A copy of the entry with other names and addresses, so that only the length of a long list makes it invalid. */
function renumbered(entry: unknown, at: number): unknown {
  if (typeof entry === 'string') {
    if (entry.includes('/')) return `10.${at % 256}.${at >> 8}.0/24`;
    if (/^[\d.]+$|:/.test(entry)) return `10.0.${at >> 8}.${at % 256}`;
    return /^[A-Z]+$/.test(entry)
      ? entry
      : `a${at}${entry.includes('.') ? entry.replace(/^[^.]*(?=\..*\.)/, '') : entry}`.slice(0, 60);
  }
  if (typeof entry !== 'object' || entry === null) return entry;
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [
      key,
      ['name', 'address', 'countries'].includes(key) ? renumbered(value, at) : value,
    ]),
  );
}

/** The paths of all values inside a value, parents before children. */
function placesOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path];
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [
    ...(path.length === 0 ? [] : [path]),
    ...keys.flatMap((key) => placesOf(Reflect.get(value, key), [...path, key])),
  ];
}

function changed(value: unknown, path: Path, by: Change): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by(value);
  if (Array.isArray(value))
    return value.flatMap((entry, index) => (index === key ? present(changed(entry, rest, by)) : [entry]));
  return Object.fromEntries(
    Object.entries(value as object).flatMap(([name, inner]) =>
      name === key ? present(changed(inner, rest, by)).map((now) => [name, now]) : [[name, inner]],
    ),
  );
}

function present(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value];
}

/** The object after up to three changes anywhere in it, or after none. */
export function spoilt(objects: fc.Arbitrary<object>): fc.Arbitrary<object> {
  const changes = fc.array(fc.tuple(fc.nat(), change), { maxLength: 3 });
  return fc.tuple(objects, changes).map(([object, all]) =>
    all.reduce<object>((value, [at, by]) => {
      const places = placesOf(value);
      const path = places[at % places.length];
      return path === undefined ? value : (JSON.parse(JSON.stringify(changed(value, path, by))) as object);
    }, object),
  );
}
