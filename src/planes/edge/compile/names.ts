import { parseAddress } from '../../../model/address.ts';

const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const hostPattern = new RegExp(`^(\\*\\.)?${label}(\\.${label})*$`);
const labelPattern = new RegExp(`^${label}$`);
const maxHostLength = 253;
const maxPathBytes = 4096;
const utf8 = new TextEncoder();

/**
 * Whether a text is a lower-case DNS name, or `*.` and a DNS name, and not an address: what the API server accepts for
 * an Ingress rule.
 */
export function isHost(text: unknown): text is string {
  return (
    typeof text === 'string' &&
    text.length <= maxHostLength &&
    hostPattern.test(text) &&
    !(/^[\d.]+$/.test(text) && parseAddress(text) !== undefined)
  );
}

/** Whether a text is a DNS label (RFC 1123), as names of Services and namespaces and the parts of Secret names are. */
export function isLabel(text: unknown): text is string {
  return typeof text === 'string' && labelPattern.test(text);
}

/**
 * What is wrong with a path, or undefined. nginx matches the normal form of a request's path, so a path with `//`, `.`
 * or `..` segments or with encoded characters could never match; the API server refuses most of them.
 */
export function pathFault(path: unknown): string | undefined {
  if (typeof path !== 'string' || !path.startsWith('/')) return 'it must start with /';
  if (path.length > maxPathBytes || utf8.encode(path).length > maxPathBytes) return `longer than ${maxPathBytes} bytes`;
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(path)) return 'it has control characters';
  if (!path.isWellFormed()) return 'it is not well-formed Unicode';
  if (path.includes('//') || /\/\.\.?(\/|$)/.test(path)) return 'it has an empty, . or .. segment';
  if (/%2f/i.test(path)) return 'it has an encoded slash';
  if (/%[0-9a-f]{2}/i.test(path)) return 'it is percent-encoded: write the characters themselves, such as é for %C3%A9';
  return undefined;
}

/** A prefix without its trailing slashes (Ingress v1 ignores them); `/` stays. */
export function normalPrefix(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The wildcard that covers a host, `*.example.com` for `www.example.com`. */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot < 0 || host.startsWith('*.') ? undefined : `*${host.slice(dot)}`;
}
