import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvPlaces, foundInCsv } from './csv.ts';

const read = (text: string) => foundInCsv(text, 'servers.csv', csvPlaces);
const names = (text: string) => read(text).map(({ texts }) => texts.name[0]);

it('finds columns by the names that lists give them, and says where a machine stands', () => {
  const text =
    '\uFEFFHost Name,Data-Centre,Rack,IPv4,IPv6,Role,Serial Number\r\n"a",paris,"R 1, left",10.1.0.1/24,2001:db8::1,"etcd, master",S\r\n\r\nb,paris,,"10.1.0.2 10.1.0.3",,,\r\n';
  expect(() => read(text)).toThrow(/no column has the names of servers.*--field name=HOSTNAME/s);
  const [a, b, ...rest] = read(text.replace('Host Name', 'Hostname'));
  expect(a).toMatchObject({
    at: 'servers.csv:2',
    texts: {
      name: ['a'],
      site: ['paris'],
      rack: ['R 1, left'],
      addresses: ['10.1.0.1/24', '2001:db8::1'],
      roles: ['etcd', 'master'],
      serial: ['S'],
    },
  });
  expect(b).toMatchObject({ at: 'servers.csv:4', texts: { rack: [], addresses: ['10.1.0.2', '10.1.0.3'], roles: [] } });
  expect(rest).toEqual([]);
});

it.each([';', '\t', ','])('reads lists whose separator is %j', (mark) => {
  expect(names(`name${mark}rack\na${mark}1\nb${mark}2`)).toEqual(['a', 'b']);
});

it('counts lines in quoted fields, and takes quotes in them', () => {
  const [one, two] = read('name,rack\n"a","x\n""y"""\nb,1\n');
  expect(one?.texts.rack).toEqual(['x\n"y"']);
  expect(two?.at).toBe('servers.csv:4');
});

it.each([
  ['', /is empty/],
  ['name,rack\n"a,1\n', /servers\.csv:2: a field has a double quote that does not end/],
  ['name,rack\na"b,1\n', /servers\.csv:2: a field has a double quote/],
  ['name,rack\na,1,2\n', /servers\.csv:2: 3 fields in a list of 2 columns/],
  [`name\n${'a\n'.repeat(100_001)}`, /more than 100000 lines/],
])('refuses %j with its line', (text, expected) => {
  expect(() => read(text)).toThrow(expected);
});

it('reads whatever a spreadsheet may write, and never hangs', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ minLength: 1 }).filter((text) => text.trim() !== ''),
        { minLength: 1 },
      ),
      (cells) => {
        const text = cells.map((cell) => `n,"${cell.replaceAll('"', '""')}"`).join('\n');
        expect(read(`name,rack\n${text}`).map(({ texts }) => texts.rack[0])).toEqual(
          cells.map((cell) => cell.trim().slice(0, 253)),
        );
      },
    ),
  );
  expect(() => read(`name\n"${'""'.repeat(1 << 20)}`)).toThrow(/does not end/);
});
