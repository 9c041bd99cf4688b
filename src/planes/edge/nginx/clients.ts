import { providerFields } from './fields.ts';

/** What nginx.conf says of clients. */
export interface ClientSettings {
  /** Proxies that say who the client is; absent: every client is the address that connects. */
  readonly trustedProxies?: {
    /** Canonical prefixes. */
    readonly prefixes: readonly string[];
    readonly via: 'forwardedHeaders' | 'proxyProtocol';
  };
  /** What one client may have at once: requests, and of these the ones with a body of 10,000 bytes and more. */
  readonly clients: { readonly requests: number; readonly bodies: number };
}

/**
 * How many requests of one client nginx handles at once, and how many of those with a body that may go to the disk. A client
 * is an IPv4 address or a /64 of IPv6, of which one machine has all addresses. Not counted are a trusted proxy where it names no
 * client, and what the edge answers itself under its reserved paths: the agent's probe and health checks.
 */
export function clientLimits({ trustedProxies }: ClientSettings): string {
  const named = `
map "$tideline_proxy $remote_addr $realip_remote_addr" $tideline_client {
    default $tideline_network;
    "~^1 (?<tideline_same>[^ ]+) \\k<tideline_same>$" "";
}`;
  return `# An IPv4 address that is written as one of IPv6 is one client.
map $binary_remote_addr $tideline_${trustedProxies === undefined ? 'client' : 'network'} {
    default $binary_remote_addr;
    "~^(?!\\x00{10}\\xff\\xff)(?<tideline_half>(?s:.{8}))(?s:.{8})$" $tideline_half;
}${trustedProxies === undefined ? '' : named}
# Over HTTP/2 a body needs no length; only these methods are taken to have one then.
map "$server_protocol $request_method" $tideline_streaming {
    default "";
    "HTTP/2.0 POST" $tideline_client;
    "HTTP/2.0 PUT" $tideline_client;
    "HTTP/2.0 PATCH" $tideline_client;
}
map $http_transfer_encoding $tideline_unmeasured {
    default $tideline_client;
    "" $tideline_streaming;
}
# What is shorter than 10,000 bytes stays in memory (client_body_buffer_size).
map $content_length $tideline_body {
    default $tideline_client;
    "" $tideline_unmeasured;
    "~^[0-9]{1,4}$" "";
}
# Most requests have neither a body nor one of the fields that announce it, and are told by one look.
map $request_method$content_length$http_transfer_encoding $tideline_sender {
    default $tideline_body;
    GET "";
    HEAD "";
}
# A zone that is full refuses new clients: there is room for half a million that have requests in flight.
limit_conn_zone $tideline_client zone=tideline_clients:32m;
limit_conn_zone $tideline_sender zone=tideline_senders:32m;
limit_conn_status 429;
# The access log and a counter say it; the error log would grow with each refusal.
limit_conn_log_level info;`;
}

/** Within the location of tenants. */
export function clientLimit({ clients }: ClientSettings): string {
  return `limit_conn tideline_clients ${clients.requests};
limit_conn tideline_senders ${clients.bodies};
error_page 429 @over_limit;`;
}

/** `$tideline_<field>` for each field of a provider: what a trusted proxy says in it, and nothing of anybody else. */
export function providerMaps(settings: ClientSettings): string {
  if (!passesProviders(settings)) return '';
  return providerFields
    .map((name) => `map $tideline_proxy $${variable(name)} {\n    default "";\n    1 $http_${underscored(name)};\n}`)
    .join('\n');
}

/** The lines that pass or remove the fields of providers. */
export function providerHeaders(settings: ClientSettings): string {
  const passed = passesProviders(settings);
  return providerFields.map((name) => `proxy_set_header ${name} ${passed ? `$${variable(name)}` : '""'};`).join('\n');
}

/** The Lua function that a request meets first: proxies may send a field in several lines, of which the last counts. */
export function entryFunction(settings: ClientSettings): 'enter' | 'enter_behind_proxy' {
  return passesProviders(settings) ? 'enter_behind_proxy' : 'enter';
}

/** The fields of providers that pass, as a table of Lua. */
export function providerTable(settings: ClientSettings): string {
  const names = passesProviders(settings) ? providerFields : [];
  return `{${names.map((name) => ` "${name.toLowerCase()}"`).join(',')} }`;
}

const passesProviders = ({ trustedProxies }: ClientSettings): boolean => trustedProxies?.via === 'forwardedHeaders';

const underscored = (name: string): string => name.toLowerCase().replaceAll('-', '_');
const variable = (name: string): string => `tideline_${underscored(name)}`;
