import { request } from 'undici';
import { z } from 'zod';
import type { RecordSet } from '../../../../answers/record.ts';
import { quoteAnswer } from '../../../../model/secrets.ts';
import { messageOf, withoutUndefined } from '../../../../model/values.ts';
import { SteeringError } from '../../reasons.ts';
import type { Change } from '../../records/change.ts';
import { readText } from '../answers.ts';
import type { Gate, ZoneReader, ZoneState } from '../provider.ts';

export interface PowerDnsOptions {
  /** `http://host:port` of the server's webserver with `api=yes`. */
  readonly url: string;
  readonly apiKey: string;
  /** Server identifier of the API; `localhost` for a pdns_server. */
  readonly server?: string;
  /** Called before each request. */
  readonly gate?: Gate;
}

/** A reader that cannot write: it sends no other request than GET. */
export function powerDnsReader(options: PowerDnsOptions): ZoneReader {
  return { name: 'powerdns', read: (zone) => readZone(options, zone) };
}

/** Sends records for one PATCH, which is one transaction of the backend. */
export async function patchZone(
  options: PowerDnsOptions,
  zone: string,
  rrsets: readonly ChangedRrset[],
): Promise<void> {
  await send(options, 'PATCH', zonePath(options, zone), JSON.stringify({ rrsets }));
}

const Rrset = z.object({
  name: z.string(),
  type: z.string(),
  ttl: z.number().optional(),
  records: z.array(z.object({ content: z.string(), disabled: z.boolean().default(false) })).optional(),
});
type Rrset = z.infer<typeof Rrset>;
const Zone = z.object({ id: z.string(), rrsets: z.array(Rrset) });

type ChangedRrset = Rrset & { readonly changetype: 'REPLACE' | 'DELETE' };

/** A change as the API takes it; of several changes of a name and type only the last counts. */
export function rrsetOf({ action, record }: Change): ChangedRrset {
  const name = `${record.name}.`;
  const { target, type } = record;
  if (action === 'DELETE' || target.kind !== 'values') return { name, type, changetype: 'DELETE' };
  const records = target.values.map((content) => ({ content, disabled: false }));
  return { name, type, ttl: target.ttlSeconds, changetype: 'REPLACE', records };
}

export async function readZone(options: PowerDnsOptions, zone: string): Promise<ZoneState> {
  const body = parseZone(options, await send(options, 'GET', zonePath(options, zone)));
  const records = body.rrsets.map(
    (rrset): RecordSet => ({
      name: rrset.name.replace(/\.$/, '').toLowerCase(),
      type: rrset.type,
      target: {
        kind: 'values',
        ttlSeconds: rrset.ttl ?? 0,
        values: (rrset.records ?? []).map(contentOf),
      },
    }),
  );
  return { zone, zoneId: body.id, records, healthChecks: new Map(), strayHealthChecks: [], retiredHealthChecks: [] };
}

function parseZone(options: PowerDnsOptions, text: string): z.infer<typeof Zone> {
  try {
    return Zone.parse(JSON.parse(text));
  } catch (error) {
    throw new SteeringError('ProviderRefused', `${options.url} answers something else; is this the API of PowerDNS?`, {
      cause: error,
    });
  }
}

/** A value as we compare it. A disabled record answers nobody, so it must not look like the one that we wrote. */
function contentOf(record: { readonly content: string; readonly disabled: boolean }): string {
  return record.disabled ? `disabled ${record.content}` : record.content;
}

function zonePath(options: PowerDnsOptions, zone: string): string {
  return `/api/v1/servers/${options.server ?? 'localhost'}/zones/${zone}.`;
}

async function send(options: PowerDnsOptions, method: 'GET' | 'PATCH', path: string, body?: string): Promise<string> {
  const { status, text } = await exchange(options, method, path, body);
  if (status >= 200 && status < 300) return text;
  const detail = quoteAnswer(errorText(text), [options.apiKey]);
  if (status === 404 || /could not find domain/i.test(detail)) {
    throw new SteeringError('ZoneMissing', `PowerDNS has no such zone: ${path.slice(path.lastIndexOf('/') + 1)}`);
  }
  throw new SteeringError('ProviderRefused', `PowerDNS answered ${status} to ${method} ${path}: ${detail}`);
}

async function exchange(
  options: PowerDnsOptions,
  method: 'GET' | 'PATCH',
  path: string,
  body: string | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  options.gate?.(method === 'GET' ? 'read' : 'write');
  try {
    const response = await request(new URL(path, options.url), {
      method,
      headers: { 'x-api-key': options.apiKey, 'content-type': 'application/json' },
      // A connection that idles may be ended, by a proxy in front, in the moment in which the next request leaves.
      reset: true,
      headersTimeout: 10_000,
      bodyTimeout: 10_000,
      signal: AbortSignal.timeout(answerMs),
      ...withoutUndefined({ body }),
    });
    return { status: response.statusCode, text: await readText(response.body, maxAnswerBytes) };
  } catch (error) {
    if (error instanceof SteeringError) throw error;
    const why = quoteAnswer(messageOf(error), [options.apiKey]);
    throw new SteeringError('ProviderUnreachable', `PowerDNS at ${options.url} did not answer: ${why}`, {
      cause: error,
    });
  }
}

/** An answer larger than that of any zone that we could compare with a plan: a hundred thousand records have 20 MB. */
const maxAnswerBytes = 64 << 20;
/** The limit for a whole answer, however slowly it comes. */
const answerMs = 60_000;

function errorText(text: string): string {
  try {
    const parsed = JSON.parse(text) as { readonly error?: unknown };
    return typeof parsed.error === 'string' ? parsed.error : text;
  } catch {
    return text;
  }
}
