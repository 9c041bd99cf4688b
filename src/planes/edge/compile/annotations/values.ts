import { parseLoosePrefix } from '../../../../model/address.ts';

/** The value of an annotation in the type that it has, or what is expected instead. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = <T>(expected: string): Parsed<T> => ({ ok: false, expected });

/** The longest lists of prefixes are country lists; a longer one would make one entry of the table very large. */
const maxPrefixes = 4096;
const maxUrlBytes = 2048;

/** A boolean as Go reads it, which ingress-nginx does. */
export function parseBoolean(text: string): Parsed<boolean> {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return good(true);
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return good(false);
  return bad('"true" or "false"');
}

/** A whole number within bounds. */
export function parseWhole(text: string, min: number, max: number): Parsed<number> {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return number >= min && number <= max ? good(number) : bad(`a whole number from ${min} to ${max}`);
}

/** A size as nginx writes it, in bytes: `8m`, `512k`, `1g`; 0 means no limit. */
export function parseSize(text: string): Parsed<number> {
  const [, digits = '', unit = ''] = /^(\d{1,10})([bkmg]?)$/i.exec(text) ?? [];
  if (digits === '') return bad('a size such as 8m, 512k or 1g, or 0 for no limit');
  return good(Number(digits) * 1024 ** 'bkmg'.indexOf(unit === '' ? 'b' : unit.toLowerCase()));
}

/** A status code of a redirect. */
export function parseRedirectCode(text: string): Parsed<number> {
  return /^30[12378]$/.test(text) ? good(Number(text)) : bad('301, 302, 303, 307 or 308');
}

/**
 * A list of addresses and prefixes, separated by commas: canonical prefixes, sorted, without host bits. One bad element
 * makes the whole list bad, because the list without it would let in others than its author meant. A list with too many
 * elements is refused before any of them is read.
 */
export function parsePrefixes(text: string): Parsed<readonly string[]> {
  if (countOf(text) > maxPrefixes) return bad(`at most ${maxPrefixes} prefixes`);
  const prefixes = new Set<string>();
  for (const part of text.split(',')) {
    const prefix = parseOnePrefix(part.trim());
    if (prefix === undefined) return bad('IP addresses and prefixes such as 10.0.0.0/8, separated by commas');
    prefixes.add(prefix);
  }
  return good([...prefixes].sort());
}

/** The number of elements that commas separate, counted no further than to one more than a list may have. */
function countOf(text: string): number {
  let count = 1;
  for (let at = text.indexOf(','); at >= 0 && count <= maxPrefixes; at = text.indexOf(',', at + 1)) count += 1;
  return count;
}

/** The longest way to write a prefix: the rest of an IPv6 address as an IPv4 address, with a length. */
const maxPrefixLength = 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128'.length;

/** IPv4 addresses inside IPv6 ones are refused: a client's address never has that form, so they would match nobody. */
function parseOnePrefix(text: string): string | undefined {
  if (text.length > maxPrefixLength) return undefined;
  const prefix = parseLoosePrefix(text);
  const embedded = prefix?.family === 6 && prefix.length >= 96 && prefix.network.startsWith('::ffff:');
  return embedded ? undefined : prefix?.text;
}

/** The characters of a URL after its host (RFC 3986), with the variables that are put in for each request. */
const afterHost = /^(?:[A-Za-z0-9\-._~:/?#[\]@!&'()*+,;=%]|\$(?:request_uri|host|scheme)(?![A-Za-z0-9_]))*$/;
const absolute =
  /^(?:https?|\$scheme):\/\/(?:\$host|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?(?=[/?#]|\$request_uri|$)/;

/** The target of a redirect: an absolute http or https URL whose host no request can choose, but for `$host` itself. */
export function parseRedirectTarget(text: string): Parsed<string> {
  const [origin] = absolute.exec(text) ?? [];
  if (origin === undefined || text.length > maxUrlBytes || !afterHost.test(text.slice(origin.length)))
    return bad('an absolute http or https URL, which may have $request_uri, $host and $scheme');
  return good(text);
}

/** A path on the same host, and not `/` itself: `//x` and `/\x` would be other hosts for a browser. */
export function parseAppRoot(text: string): Parsed<string> {
  const plain = text.length <= maxUrlBytes && /^\/(?![/\\])[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]*$/.test(text);
  return plain && !leadsToRoot(text) ? good(text) : bad('a path that starts with one / and is not / itself');
}

/**
 * Whether a request for this is one for `/`, which would be redirected again without end: a browser sends no fragment and
 * resolves `..` at the root, and nginx decodes the path, resolves `.` and `..` and merges slashes.
 */
function leadsToRoot(text: string): boolean {
  const [path = ''] = text.split(/[?#]/);
  const decoded = path.replace(/%2e/gi, '.').replace(/%2f/gi, '/');
  const elements: string[] = [];
  for (const element of decoded.split('/'))
    if (element === '..') elements.pop();
    else if (element !== '' && element !== '.') elements.push(element);
  return elements.length === 0;
}
