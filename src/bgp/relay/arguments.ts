import { parseArgs } from 'node:util';
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../model/address.ts';
import { messageOf } from '../../model/values.ts';
import { unattendedAfterMs } from '../heartbeat.ts';
import type { LeaseTerms } from '../wire.ts';

export interface RelayArguments {
  readonly socket: string;
  readonly sessions: readonly {
    readonly address: string;
    readonly asn: number;
    readonly family: 4 | 6;
    readonly localAsn: number;
    /** The next hop of every route on this session; absent: the one that the agent names. */
    readonly local?: Address;
  }[];
  readonly fixed: readonly Prefix[];
  readonly vips: readonly Prefix[];
  readonly lease: LeaseTerms;
  readonly yieldAfterMs: number;
}

export const usage = `tideline bgp relay --socket PATH --local-asn N --neighbor ADDRESS=ASN...
  [--fixed PREFIX...] [--vip PREFIX...] [--lease SECONDS] [--keeper]
  [--yield-after SECONDS]

Runs as ExaBGP's API child (see \`tideline bgp render\`): commands on standard output, answers on standard input.
  --neighbor  a session of exabgp.conf that lists this process; the family of the address is the family of the session.
              ADDRESS=ASN@LOCAL makes LOCAL, the session's local address, the next hop of its routes
  --fixed     a static route of exabgp.conf, which the relay never touches
  --vip       a prefix that is withdrawn when no agent renewed the lease (until the agent sends the classes itself)
  --lease     seconds, default 5        --keeper    VIPs stay without an agent
  --yield-after  seconds without a word of the agent after which all but the VIPs is announced with more AS-path prepends,
                 default ${unattendedAfterMs / 1000}`;

/** The arguments, or what is wrong with them, or that the usage text was asked for. */
export function parseRelayArguments(
  argv: readonly string[],
): RelayArguments | { readonly problem: string } | { readonly help: true } {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    return { problem: messageOf(error) };
  }
  if (values.help === true) return { help: true };
  const localAsn = asNumber(values['local-asn']);
  const sessions = (values.neighbor ?? []).map((text) => session(text, localAsn ?? 0));
  const fixed = (values.fixed ?? []).map((text) => parsePrefix(text));
  const vips = (values.vip ?? []).map((text) => parsePrefix(text));
  const seconds = Number(values.lease ?? '5');
  const yieldAfterMs = values['yield-after'] === undefined ? unattendedAfterMs : Number(values['yield-after']) * 1000;
  if (values.socket === undefined) return { problem: '--socket PATH is missing' };
  if (Buffer.byteLength(values.socket) > 100) return { problem: 'the path of a unix socket may have 100 bytes' };
  if (localAsn === undefined) return { problem: '--local-asn N is missing or no AS number' };
  if (sessions.length === 0) return { problem: '--neighbor ADDRESS=ASN is missing' };
  if (!sessions.every((entry) => entry !== undefined))
    return { problem: '--neighbor must be ADDRESS=ASN or ADDRESS=ASN@LOCAL, both addresses of one family' };
  if (!fixed.every((entry) => entry !== undefined)) return { problem: '--fixed must be a prefix without host bits' };
  if (!vips.every((entry) => entry !== undefined)) return { problem: '--vip must be a prefix without host bits' };
  if (!(seconds > 0 && seconds <= 3600)) return { problem: '--lease must be a number of seconds, at most 3600' };
  if (!(yieldAfterMs > 0)) return { problem: '--yield-after must be a number of seconds' };
  const lease = { seconds, keeper: values.keeper ?? false };
  return { socket: values.socket, sessions, fixed, vips, lease, yieldAfterMs };
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    strict: true,
    options: {
      socket: { type: 'string' },
      'local-asn': { type: 'string' },
      neighbor: { type: 'string', multiple: true },
      fixed: { type: 'string', multiple: true },
      vip: { type: 'string', multiple: true },
      lease: { type: 'string' },
      keeper: { type: 'boolean' },
      'yield-after': { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
}

function session(text: string, localAsn: number): RelayArguments['sessions'][number] | undefined {
  const [addressText = '', rest = ''] = text.split('=');
  const [asnText, localText] = rest.split('@');
  const address = parseAddress(addressText);
  const asn = asNumber(asnText);
  const local = localText === undefined ? undefined : parseAddress(localText);
  if (address === undefined || asn === undefined) return undefined;
  if (localText !== undefined && local?.family !== address.family) return undefined;
  return { address: address.text, asn, family: address.family, localAsn, ...(local === undefined ? {} : { local }) };
}

function asNumber(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && /^\d+$/.test(text) && value >= 1 && value <= 4_294_967_294 ? value : undefined;
}
