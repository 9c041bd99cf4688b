import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { MasterFileError, parseMasterFile } from './master-file.ts';

const parse = (text: string) =>
  parseMasterFile(text, 'video.example').map(
    ({ owner, ttlSeconds, type, data }) => `${owner} ${ttlSeconds} ${type} ${data.join('|')}`,
  );

describe('a master file', () => {
  it('has owners that are relative, absolute, omitted, or the origin; TTL and class in either order, or none', () => {
    expect(
      parse(`$TTL 1h30m
@ IN SOA ns1 admin.video.example. ( 1 ; a serial
     2h 3600
     1w 60 )
	NS ns1
WWW 60 IN A 192.0.2.10
    IN 30 A 203.0.113.10
www.video.example. AAAA 2001:db8::1
$ORIGIN eu
api A 192.0.2.11
$ORIGIN other.example.
@ A 192.0.2.12
$TTL 5
a.b A 192.0.2.13
`),
    ).toEqual([
      'video.example 5400 SOA ns1|admin.video.example.|1|2h|3600|1w|60',
      'video.example 5400 NS ns1',
      'www.video.example 60 A 192.0.2.10',
      'www.video.example 30 A 203.0.113.10',
      'www.video.example 5400 AAAA 2001:db8::1',
      'api.eu.video.example 5400 A 192.0.2.11',
      'other.example 5400 A 192.0.2.12',
      'a.b.other.example 5 A 192.0.2.13',
    ]);
  });

  it('has texts in quotes, with escapes, and comments only outside of them', () => {
    expect(
      parse(String.raw`$TTL 60
a TXT "one; two" "(three)" four;five
b TXT "a \"quoted\" word, \065 and \\"
c TXT ( "over"
  "lines" ) ; and a comment
d\.e TXT x\;y
\052.w A 192.0.2.1
`),
    ).toEqual([
      'a.video.example 60 TXT one; two|(three)|four',
      'b.video.example 60 TXT a "quoted" word, A and \\',
      'c.video.example 60 TXT over|lines',
      'd\\.e.video.example 60 TXT x\\;y',
      '4.w.video.example 60 A 192.0.2.1',
    ]);
  });

  it('of before $TTL takes that of the record before, or of the SOA', () => {
    expect(parse('@ SOA a b 1 2 3 4 77\nwww A 192.0.2.1\nb 9 A 192.0.2.2\nc A 192.0.2.3\n')).toEqual([
      'video.example 77 SOA a|b|1|2|3|4|77',
      'www.video.example 77 A 192.0.2.1',
      'b.video.example 9 A 192.0.2.2',
      'c.video.example 9 A 192.0.2.3',
    ]);
  });

  it('may have the line ends of Windows, a mark of its encoding, and no end of its last line', () => {
    expect(parse('\uFEFF$TTL 60\r\nwww A 192.0.2.1\r\n\r\n; nothing\r\nx A 192.0.2.2')).toEqual([
      'www.video.example 60 A 192.0.2.1',
      'x.video.example 60 A 192.0.2.2',
    ]);
  });

  it('without anything has no records', () => {
    for (const text of ['', '\n', ' \n', '; only a comment', '( )']) expect(parse(text)).toEqual([]);
  });
});

test.each<[string, string, number, RegExp]>([
  ['$INCLUDE', '$TTL 60\n$INCLUDE db.other\n', 2, /\$INCLUDE is not read/],
  ['$GENERATE', '$GENERATE 1-9 h$ A 10.0.0.$', 1, /\$GENERATE is not read/],
  ['another directive', '$DATE 3', 1, /"\$DATE" is not known/],
  ['a directive without value', '$TTL', 1, /\$TTL takes one value/],
  ['an odd TTL', '$TTL 5x', 1, /"5x" is no time to live/],
  ['a TTL beyond 32 bits', '$TTL 9999999999', 1, /no time to live/],
  ['no TTL at all', 'www A 192.0.2.1', 1, /www\.video\.example A has no TTL/],
  ['no owner', '$TTL 1\n  A 192.0.2.1', 2, /without an owner/],
  ['another class', '$TTL 1\nwww CH TXT x', 2, /class CH: only IN/],
  ['no type', '$TTL 1\nwww 60 IN', 2, /expected a record type, not ""/],
  ['a type that is none', '$TTL 1\nwww "A" 192.0.2.1\nx %& 1', 3, /expected a record type/],
  ['no data', '$TTL 1\nwww A', 2, /www\.video\.example A has no data/],
  ['a quotation mark that does not end', '$TTL 1\nwww TXT "a\nb"', 2, /quotation mark does not end/],
  ['a parenthesis that does not end', '$TTL 1\nwww TXT ( a\n\n', 2, /a parenthesis does not end/],
  ['a parenthesis that did not begin', '$TTL 1\nwww TXT )', 2, /ends that did not begin/],
  ['parentheses inside each other', '$TTL 1\nwww TXT ( (', 2, /inside parentheses/],
  ['a backslash at the end', '$TTL 1\nwww TXT a\\\nb A 1', 2, /backslash at the end/],
  ['a name with two dots', '$TTL 1\na..b A 1', 2, /"a\.\.b" is no name/],
  ['a name that is too long', `$TTL 1\n${'a'.repeat(2000)} A 1`, 2, /a…" is no name/],
  ['a record of too many words', `$TTL 1\nw TXT ${'a '.repeat(2000)}`, 2, /more than 1000 words/],
])('%s is refused with its line', (_, text, line, says) => {
  let error: unknown;
  try {
    parse(text);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(MasterFileError);
  expect([(error as MasterFileError).line, (error as MasterFileError).message]).toEqual([
    line,
    expect.stringMatching(says),
  ]);
});

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const record = fc.record({
  owner: fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
  ttlSeconds: fc.integer({ min: 0, max: 86_400 }),
  texts: fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 3 }),
});
const quoted = (text: string): string =>
  `"${[...Buffer.from(text, 'latin1')]
    .map((byte) =>
      byte < 32 || byte > 126 || byte === 34 || byte === 92
        ? `\\${String(byte).padStart(3, '0')}`
        : String.fromCharCode(byte),
    )
    .join('')}"`;

test('what is written is read again', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.boolean(), (records, folded) => {
      const lines = records.map(({ owner, ttlSeconds, texts }) => {
        const data = texts.map(quoted);
        return `${owner} ${ttlSeconds} IN TXT ${folded ? `( ${data.join('\n\t; folded\n ')} )` : data.join(' ')}`;
      });
      const read = parseMasterFile(lines.join('\n'), 'video.example');
      expect(read.map(({ owner, ttlSeconds, data }) => ({ owner, ttlSeconds, texts: data }))).toEqual(
        records.map(({ owner, ttlSeconds, texts }) => ({
          owner: `${owner}.video.example`,
          ttlSeconds,
          texts: texts.map((text) => Buffer.from(text, 'latin1').toString('latin1')),
        })),
      );
    }),
  );
});

test('whatever is in a file, it is read or refused with a line', () => {
  const pieces = fc.constantFrom(
    'www ',
    '$TTL 60\n',
    'A ',
    '(',
    ')',
    '"',
    '\\',
    ';',
    '\n',
    ' ',
    '\t',
    '@',
    '.',
    '9',
    '\u0000',
    'é',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      try {
        parseMasterFile(parts.join(''), 'video.example');
      } catch (error) {
        expect(error).toBeInstanceOf(MasterFileError);
        expect((error as MasterFileError).line).toBeLessThanOrEqual(parts.length + 1);
      }
    }),
    { numRuns: 500 },
  );
});

test('a zone of 200,000 records is read line by line, in time that grows with its length alone', () => {
  const text = `$TTL 60\n${Array.from({ length: 200_000 }, (_, index) => `h${index} A 192.0.2.10\n`).join('')}`;
  expect(parseMasterFile(text, 'video.example')).toHaveLength(200_000);
});
