import fc from 'fast-check';

// Generators of addresses and prefixes as people write them, in right and wrong spellings.
const byte = fc.integer({ min: 0, max: 255 });
const group = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });

const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));

type Spell = (parts: readonly number[], at: number) => string;

/**
 * Writes `::` for the run of zeros at `at`, if there is one. The run is not always the longest, so the result is not always
 * canonical.
 */
const shortened: Spell = (parts, at) => {
  let end = at;
  while (end < 8 && parts[end] === 0) end += 1;
  const hex = parts.map((part) => part.toString(16));
  return end === at ? hex.join(':') : `${hex.slice(0, at).join(':')}::${hex.slice(end).join(':')}`;
};
const tail = (parts: readonly number[]): string =>
  parts
    .slice(6)
    .flatMap((part) => [part >> 8, part & 0xff])
    .join('.');

const rightSpellings: readonly Spell[] = [
  shortened,
  (parts, at) => shortened(parts, at).toUpperCase(),
  (parts) => parts.map((part) => part.toString(16).padStart(4, '0')).join(':'),
  (parts) =>
    `${parts
      .slice(0, 6)
      .map((part) => part.toString(16))
      .join(':')}:${tail(parts)}`,
];

/** Spellings that are mostly wrong; some results are right by chance. */
const oddSpellings: readonly Spell[] = [
  (parts, at) => `${shortened(parts, at)}%eth0`,
  (parts, at) => `[${shortened(parts, at)}]`,
  (parts, at) => `:${shortened(parts, at)}`,
  (parts, at) => `${shortened(parts, at)}:`,
  (parts, at) => shortened(parts, at).replace(':', '::'),
  (parts) => parts.map((part) => part.toString(16).padStart(5, '0')).join(':'),
  (parts) => `::ffff:${tail(parts)}`,
  (parts) => `0:0:0:0:0:FFFF:${tail(parts)}`,
  (parts) =>
    `::ffff:${parts
      .slice(6)
      .map((part) => part.toString(16))
      .join(':')}`,
  (parts) => `::${tail(parts)}`,
  (parts) => `64:ff9b::${tail(parts)}`,
  (parts) => `64:ff9b::0${tail(parts)}`,
  (parts) => `1:2:3:4:5:6:7:${tail(parts)}`,
  (parts) =>
    `::${parts
      .slice(1)
      .map((part) => part.toString(16))
      .join(':')}`,
  (parts) =>
    `${parts
      .slice(1)
      .map((part) => part.toString(16))
      .join(':')}::`,
  (parts) =>
    parts
      .slice(1)
      .map((part) => part.toString(16))
      .join(':'),
];

const spelled = (spellings: readonly Spell[]) =>
  fc
    .tuple(fc.constantFrom(...spellings), groups, fc.integer({ min: 0, max: 7 }))
    .map(([spell, parts, at]) => spell(parts, at));

export const address = fc.oneof(
  ipv4,
  spelled(rightSpellings).filter((text) => !/^(0{1,4}:|::)/i.test(text)),
);

const oddAddress = fc.oneof(
  spelled(oddSpellings),
  spelled(rightSpellings),
  ipv4.map((text) => text.replace(/\d+$/, (last) => `0${last}`)),
  ipv4.map((text) => text.replace(/\.\d+$/, '')),
  ipv4.map((text) => `${text}.0`),
  ipv4.map((text) => ` ${text}`),
  ipv4.map((text) => `${text}\n`),
  fc.constantFrom(
    '256.1.1.1',
    '0x7f.1.1.1',
    '1',
    '2130706433',
    '::',
    ':',
    ':::',
    '::1::',
    '0.0.0.0',
    '١.٢.٣.٤',
    '1.2.3.4.',
    '',
  ),
);

const oddLength = fc.oneof(
  fc.integer({ min: 0, max: 140 }).map(String),
  fc.constantFrom('', '08', '+8', '-1', ' 8', '8 ', '8/8', '255.0.0.0', '1e1', '٨'),
);

/** Any text that could be meant as an address or a prefix. */
export const oddAddressText = fc.oneof(
  oddAddress,
  fc.tuple(fc.oneof(oddAddress, address), oddLength).map(([text, length]) => `${text}/${length}`),
  fc.tuple(byte, byte, fc.integer({ min: 0, max: 33 })).map(([a, b, length]) => `${a}.${b}.0.0/${length}`),
  fc.tuple(groups, fc.integer({ min: 0, max: 64 })).map(
    ([parts, length]) =>
      `${parts
        .slice(0, 2)
        .map((part) => part.toString(16))
        .join(':')}::/${length}`,
  ),
);

/** The prefixes of a site, of which no two overlap. */
export const prefixesApart = fc
  .uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 6 })
  .chain((blocks) =>
    fc.tuple(
      fc.constant(blocks),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      fc.integer({ min: 0, max: 2 }),
    ),
  )
  .map(([blocks, wide, turn]) => {
    const all = blocks.map((block, index) => (wide[index] === true ? `10.${block}.0.0/16` : `FD00:${block}::/32`));
    const role = (at: number): readonly string[] => all.filter((_, index) => (index + turn) % 3 === at);
    return { pods: role(0), servers: role(1), vips: role(2) };
  });
