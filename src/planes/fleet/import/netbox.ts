import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { InputError } from '../../../model/problem.ts';
import { quoteAnswer } from '../../../model/secrets.ts';
import { messageOf } from '../../../model/values.ts';
import { badFleet, type FleetReason } from '../reasons.ts';
import { type FieldPlaces, type FoundServer, textsAt, textsOf } from './found.ts';

/**
 * Where a device of NetBox has what a Server has. `device_role` is that of releases before 3.6, `role` of those since. The primary address that
 * NetBox prefers comes first, because others use the first one.
 */
export const netboxPlaces: FieldPlaces = {
  name: ['name'],
  site: ['site.slug'],
  rack: ['rack.name'],
  class: ['device_type.slug'],
  addresses: ['primary_ip.address', 'primary_ip4.address', 'primary_ip6.address'],
  cluster: ['cluster.name'],
  roles: ['role', 'device_role'],
  status: ['status'],
  serial: ['serial'],
  uplink: ['custom_fields.uplink'],
  gpu: ['custom_fields.gpu'],
};

export interface NetboxOptions {
  /** `https://host` with the path below which NetBox lies, if any. */
  readonly url: string;
  readonly token: string;
  /** `KEY=VALUE` of the API's own filters: `role=server`. */
  readonly filters: readonly (readonly [string, string])[];
  /** Called before each page after the first, and before a request is made again. */
  readonly onProgress?: (line: string) => void;
  /** Milliseconds before the first repetition; each further one waits twice as long. */
  readonly retryMs?: number;
}

/** Devices of a page: NetBox gives at most 1,000, and fewer where it is set up so. */
const pageSize = 250;
/** More than ten fleets. */
const mostDevices = 100_000;
/** A page of 250 devices with many custom fields has some 2 MB. */
const mostPageBytes = 32 << 20;
const tries = 4;
const answerMs = 60_000;

const Page = z.object({
  count: z.int(),
  next: z.string().nullable(),
  results: z.array(z.record(z.string(), z.unknown())),
});

/**
 * The devices of NetBox, by its REST API, page by page. Pages are counted rather than taken from `next`: behind a proxy that address is often
 * another one, and the token goes nowhere but to `url`. Throws an InputError.
 */
export async function foundInNetbox(options: NetboxOptions, places: FieldPlaces): Promise<readonly FoundServer[]> {
  const found = new Map<string, FoundServer>();
  let counted: number | undefined;
  for (let offset = 0; offset <= mostDevices; ) {
    const { results, next, count } = await readPage(options, offset);
    for (const device of results) {
      const [id = ''] = textsAt(device, 'id');
      found.set(id, { at: `NetBox device ${id}`, texts: textsOf(places, (place) => textsAt(device, place)) });
    }
    counted ??= count;
    // A device that is added or deleted meanwhile moves others from page to page, where one of them is missed.
    const isLast = next === null || results.length === 0;
    if (count !== counted || (isLast && found.size !== count))
      throw badNetbox('SourceUnreadable', `NetBox changed while it was read (${count} devices)`, 'run it again');
    if (isLast) return [...found.values()];
    offset += results.length;
    options.onProgress?.(`${offset} devices read from NetBox`);
  }
  throw badNetbox(
    'SourceUnreadable',
    `NetBox has more than ${mostDevices} devices`,
    'ask for fewer, e.g. --filter role=server',
  );
}

async function readPage(options: NetboxOptions, offset: number): Promise<z.infer<typeof Page>> {
  const url = pageUrl(options, offset);
  const { status, text, location } = await readAgain(options, url);
  if (status === 401 || status === 403)
    throw badNetbox(
      'NetboxRefused',
      `NetBox answers ${status}: ${quoted(options, text)}`,
      'give a token that may read devices, in NETBOX_TOKEN or by --token-file',
    );
  if (status === 400)
    throw badNetbox('NetboxRefused', `NetBox answers 400: ${quoted(options, text)}`, 'correct the --filter');
  if (location !== undefined)
    throw badNetbox(
      'NetboxRefused',
      `NetBox answers ${status} and sends to ${location}`,
      'name that address by --netbox',
    );
  const page = status === 200 ? Page.safeParse(jsonOf(text)) : undefined;
  if (page?.success === true) return page.data;
  throw badNetbox(
    'SourceUnreadable',
    `${url.origin}${url.pathname} answers ${status} with something else than devices: ${quoted(options, text)}`,
    'name the address at which NetBox itself lies, e.g. --netbox https://netbox.example.net',
  );
}

function pageUrl({ url, filters }: NetboxOptions, offset: number): URL {
  const page = new URL(`${url.replace(/\/+$/, '')}/api/dcim/devices/`);
  // Rendering the context of each device takes NetBox most of its time, and nothing here needs it.
  const own = { limit: String(pageSize), offset: String(offset), ordering: 'id', exclude: 'config_context' };
  for (const [key, value] of filters) page.searchParams.append(key, value);
  for (const [key, value] of Object.entries(own)) page.searchParams.set(key, value);
  return page;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
}

/** Asks again where NetBox is busy or did not answer: it only reads. */
async function readAgain(options: NetboxOptions, url: URL): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await readOnce(options, url).catch((error: unknown) => {
      if (error instanceof InputError) throw error;
      return messageOf(error);
    });
    const isLast = attempt === tries;
    if (typeof answer !== 'string' && (isLast || ![429, 502, 503, 504].includes(answer.status))) return answer;
    const why = typeof answer === 'string' ? quoted(options, answer) : `it answers ${answer.status}`;
    if (isLast)
      throw badNetbox(
        'NetboxUnreachable',
        `NetBox at ${url.origin} did not answer: ${why}`,
        'check the address, and that this machine reaches it; a CA of your own is named by NODE_EXTRA_CA_CERTS',
      );
    options.onProgress?.(`NetBox is asked again: ${why}`);
    await wait((options.retryMs ?? 1000) * 2 ** (attempt - 1));
  }
}

async function readOnce({ token }: NetboxOptions, url: URL): Promise<Answer> {
  const response = await request(url, {
    headers: { authorization: authorization(token), accept: 'application/json' },
    reset: true,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    signal: AbortSignal.timeout(answerMs),
  });
  const { location } = response.headers;
  return {
    status: response.statusCode,
    text: await readText(response.body),
    location: typeof location === 'string' ? location : undefined,
  };
}

/** Tokens of NetBox 4.5 and later have a name of their own in front (`nbt_KEY.SECRET`), and another scheme. */
function authorization(token: string): string {
  return `${token.startsWith('nbt_') ? 'Bearer' : 'Token'} ${token}`;
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostPageBytes)
      throw badNetbox(
        'SourceUnreadable',
        `NetBox answers with more than ${mostPageBytes >> 20} MiB for ${pageSize} devices`,
        'name the address at which NetBox itself lies',
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const quoted = ({ token }: NetboxOptions, text: string): string => quoteAnswer(text, [token]) || 'nothing';

function badNetbox(reason: FleetReason, message: string, fix: string) {
  return badFleet(reason, message, fix);
}
