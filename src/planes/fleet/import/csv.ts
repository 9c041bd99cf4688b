import { badFleet } from '../reasons.ts';
import { type FieldPlaces, type FoundServer, textsOf } from './found.ts';

/** How lists call what a Server has; a header is compared in lower case, with `_` for everything between words. */
export const csvPlaces: FieldPlaces = {
  name: ['name', 'hostname', 'host', 'server', 'fqdn', 'device'],
  site: ['site', 'datacenter', 'datacentre', 'data_center', 'data_centre', 'dc'],
  rack: ['rack', 'cabinet'],
  class: ['class', 'server_class', 'model', 'device_type', 'hardware', 'type'],
  addresses: ['addresses', 'address', 'ip', 'ip_address', 'ipv4', 'ipv6', 'primary_ip', 'primary_ipv4', 'primary_ipv6'],
  cluster: ['cluster'],
  roles: ['roles', 'role'],
  status: ['status', 'state'],
  serial: ['serial', 'serial_number', 'sn'],
  uplink: ['uplink', 'interface'],
  gpu: ['gpu', 'gpus'],
};

/** More machines than any fleet has: the list of something else. */
const mostRows = 100_000;

/** The machines of a list with a line of headers (RFC 4180; `;` and tabs between fields are taken as well). Throws an InputError. */
export function foundInCsv(text: string, file: string, places: FieldPlaces): readonly FoundServer[] {
  const [head, ...rows] = rowsOf(text, file);
  if (head === undefined)
    throw unreadable(`${file} is empty`, 'name a file whose first line has the names of the columns');
  const columns = head.cells.map(columnName);
  const known = [...places.name].map(columnName);
  if (!columns.some((column) => known.includes(column)))
    throw unreadable(
      `${file}:1: no column has the names of servers; its columns are ${head.cells.join(', ')}`,
      'write a first line with the names of the columns, or say which it is, e.g. --field name=HOSTNAME',
    );
  return rows.map(({ cells, line }) => {
    const at = `${file}:${line}`;
    if (cells.length > columns.length)
      throw unreadable(
        `${at}: ${cells.length} fields in a list of ${columns.length} columns`,
        'put fields that contain the separator into double quotes',
      );
    const read = (place: string): readonly string[] => {
      const wanted = columnName(place);
      return cells.flatMap((cell, index) => (columns[index] === wanted ? [cell] : []));
    };
    const texts = textsOf(places, read);
    return { at, texts: { ...texts, addresses: several(texts.addresses), roles: several(texts.roles) } };
  });
}

/** One field may have several addresses or roles. */
function several(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(/[\s,;|+]+/)).filter((text) => text !== '');
}

const columnName = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_');

interface Row {
  readonly cells: readonly string[];
  /** Where it begins, 1-based. */
  readonly line: number;
}

function rowsOf(text: string, file: string): readonly Row[] {
  const source = text.replace(/^\uFEFF/, '');
  const separator = separatorOf(source.slice(0, Math.max(0, source.search(/[\r\n]|$/))));
  const rows: Row[] = [];
  const field = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^"${separator}\\r\\n]*))(${separator}|\\r?\\n|\\r|$)`, 'y');
  let line = 1;
  let cells: string[] = [];
  let start = line;
  while (field.lastIndex < source.length || cells.length > 0) {
    const from = field.lastIndex;
    const match = field.exec(source);
    if (match === null)
      throw unreadable(
        `${file}:${lineAt(source, from)}: a field has a double quote that does not end, or one in its middle`,
        'put the field into double quotes, and write each of its own double quotes twice',
      );
    const [whole, quoted, plain = '', end = ''] = match;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.match(/\r\n|\r|\n/g)?.length ?? 0;
    if (end === separator) continue;
    if (cells.some((cell) => cell.trim() !== '')) rows.push({ cells, line: start });
    if (rows.length > mostRows)
      throw unreadable(`${file} has more than ${mostRows} lines`, 'name the file of one list of servers');
    cells = [];
    start = line;
    if (field.lastIndex >= source.length) break;
  }
  return rows;
}

/** What stands most often in the first line; a comma where nothing does. */
function separatorOf(line: string): string {
  const count = (mark: string): number => line.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split(/\r\n|\r|\n/).length;

function unreadable(message: string, fix: string) {
  return badFleet('SourceUnreadable', message, fix);
}
