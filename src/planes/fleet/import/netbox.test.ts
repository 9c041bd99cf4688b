import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { type HttpEndpoint, listenHttp } from '../../../runtime/http.ts';
import type { FoundField } from './found.ts';
import { foundInNetbox, netboxPlaces } from './netbox.ts';

/** Answers in the shapes that releases of NetBox give them, over real HTTP. */
let endpoint: HttpEndpoint | undefined;
afterEach(async () => endpoint?.stop());

const token = 'abcdef0123456789abcdef0123456789abcdef01';

async function netbox(answer: (url: URL, request: IncomingMessage, response: ServerResponse) => unknown) {
  const server = createServer((request, response) => {
    const body = answer(new URL(request.url ?? '', 'http://netbox'), request, response);
    if (body !== undefined) response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  endpoint = await listenHttp(server, '127.0.0.1', 0);
  return { url: endpoint.url, token, filters: [], retryMs: 1 };
}

const read = async (options: Parameters<typeof foundInNetbox>[0]) => foundInNetbox(options, netboxPlaces);
const named = (name: string) => ({ id: 7, url: `https://netbox.example/api/x/7/`, name, slug: name.toLowerCase() });
const base = {
  site: named('Paris'),
  rack: { id: 4, name: 'R12' },
  device_type: { id: 1, model: 'R650', slug: 'r650' },
};
const ip4 = { id: 1, address: '10.1.0.51/24' };

/** What a device of each release has, of the fields that are read; the rest is left out of it. */
const releases: Readonly<Record<string, object>> = {
  '2.6': {
    ...base,
    id: 1,
    name: 'w',
    device_role: named('Worker'),
    status: { value: 1, label: 'Active' },
    primary_ip: { ...ip4, family: 4 },
    primary_ip4: { ...ip4, family: 4 },
    primary_ip6: null,
    tags: ['k8s'],
    serial: 'S1',
    cluster: null,
  },
  '3.5': {
    ...base,
    id: 1,
    name: 'w',
    display: 'w',
    device_role: { ...named('Worker'), display: 'Worker' },
    status: { value: 'active', label: 'Active' },
    primary_ip: { ...ip4, family: 4, display: ip4.address },
    primary_ip4: { ...ip4, family: 4 },
    primary_ip6: null,
    serial: 'S1',
    cluster: null,
    custom_fields: {},
  },
  '3.7': {
    ...base,
    id: 1,
    name: 'w',
    role: named('Worker'),
    device_role: named('Worker'),
    status: { value: 'active', label: 'Active' },
    primary_ip: { ...ip4, family: 4 },
    primary_ip4: { ...ip4, family: 4 },
    primary_ip6: null,
    oob_ip: null,
    serial: 'S1',
    cluster: null,
  },
  '4.4': {
    ...base,
    id: 1,
    name: 'w',
    display_url: 'https://netbox.example/dcim/devices/1/',
    role: { ...named('Worker'), description: '', _depth: 0 },
    status: { value: 'active', label: 'Active' },
    primary_ip: { ...ip4, family: { value: 4, label: 'IPv4' } },
    primary_ip4: { ...ip4, family: { value: 4, label: 'IPv4' } },
    primary_ip6: null,
    oob_ip: { address: '10.250.0.5/24' },
    serial: 'S1',
    cluster: null,
  },
};

it.each(Object.entries(releases))('reads a device as NetBox %s has it', async (release, device) => {
  const options = await netbox(() => ({ count: 1, next: null, previous: null, results: [device] }));
  const texts: Partial<Record<FoundField, readonly string[]>> = (await read(options))[0]?.texts ?? {};
  expect(texts).toMatchObject({
    name: ['w'],
    site: ['paris'],
    rack: ['R12'],
    class: ['r650'],
    addresses: ['10.1.0.51/24'],
    roles: ['worker'],
    serial: ['S1'],
    cluster: [],
  });
  expect(texts.status).toEqual([release === '2.6' ? 'Active' : 'active']);
});

it('reads 2,500 devices page by page, and asks for nothing else', async () => {
  const devices = Array.from({ length: 2500 }, (_, id) => ({
    ...releases['4.4'],
    id,
    name: `w-${id}`,
    comments: 'x'.repeat(2000),
  }));
  const asked: string[] = [];
  const options = await netbox((url, request) => {
    asked.push(
      `${request.method} ${url.pathname} ${url.searchParams.get('limit')} ${url.searchParams.get('role')} ${request.headers.authorization}`,
    );
    const offset = Number(url.searchParams.get('offset'));
    const results = devices.slice(offset, offset + 250);
    // Behind a proxy the address of the next page is often one that leads elsewhere.
    return { count: 2500, next: offset + 250 < 2500 ? 'http://elsewhere.invalid/?offset=250' : null, results };
  });
  const found = await read({ ...options, url: `${options.url}/`, filters: [['role', 'worker']] });
  expect(found).toHaveLength(2500);
  expect(new Set(asked)).toEqual(new Set([`GET /api/dcim/devices/ 250 worker Token ${token}`]));
  expect(asked).toHaveLength(10);
  expect(JSON.stringify(found)).not.toContain('xxxx');
});

it('shows a token of NetBox 4.5 as that release wants it', async () => {
  const seen: unknown[] = [];
  const options = await netbox((_, { headers }) => {
    seen.push(headers.authorization);
    return { count: 0, next: null, results: [] };
  });
  expect(await read({ ...options, token: 'nbt_4F9DAouzURLb.zjebxBPzICiPbWz0Wtx0fTL7bCKXKGTYhNzkgC2S' })).toEqual([]);
  expect(seen).toEqual(['Bearer nbt_4F9DAouzURLb.zjebxBPzICiPbWz0Wtx0fTL7bCKXKGTYhNzkgC2S']);
});

it('asks again where NetBox is busy, and gives up after four times', async () => {
  let asked = 0;
  const options = await netbox((_, __, response) => {
    asked += 1;
    response.statusCode = asked < 3 ? 503 : 200;
    return asked < 3 ? 'busy' : { count: 0, next: null, results: [] };
  });
  expect(await read(options)).toEqual([]);
  expect(asked).toBe(3);
  await endpoint?.stop();
  const dead = read(options);
  await expect(dead).rejects.toThrow(/did not answer.*\(NetboxUnreachable\)/s);
});

it.each([
  ['a wrong token', 403, `{"detail":"Invalid token ${token}"}`, /answers 403: .*Invalid token \*\*\*.*NETBOX_TOKEN/s],
  ['a wrong filter', 400, '{"role":["Select a valid choice."]}', /answers 400: .*Select a valid choice.*--filter/s],
  ['another program', 200, '<html>login</html>', /something else than devices: <html>login.*SourceUnreadable/s],
  ['another shape', 200, '{"count":1,"next":null,"results":[7]}', /something else than devices/],
  ['no such path', 404, 'not here', /answers 404 with something else than devices/],
  ['a page of 40 MiB', 200, `[${'1,'.repeat(20 << 20)}1]`, /more than 32 MiB/],
])('ends at %s with what to do', async (_, status, body, expected) => {
  const options = await netbox((__, ___, response) => {
    response.statusCode = status;
    return body;
  });
  const failure = await read(options).catch((error: unknown) => String(error));
  expect(failure).toMatch(expected);
  expect(failure).not.toContain(token);
});

it('follows no redirection, which would carry the token elsewhere', async () => {
  const options = await netbox((_, __, response) => {
    response.writeHead(301, { location: 'https://netbox.example/api/dcim/devices/' });
    return '';
  });
  await expect(read(options)).rejects.toThrow(/301 and sends to https:\/\/netbox\.example/);
});

it.each([
  ['deleted', (devices: readonly object[]) => devices.slice(1)],
  ['added', (devices: readonly object[]) => [{ ...releases['4.4'], id: 999 }, ...devices]],
])('says that NetBox changed while it was read, when a device is %s between pages', async (_, changed) => {
  const devices = Array.from({ length: 500 }, (__, id) => ({ ...releases['4.4'], id }));
  const options = await netbox((url) => {
    const offset = Number(url.searchParams.get('offset'));
    const now = offset === 0 ? devices : changed(devices);
    return { count: now.length, next: offset === 0 ? 'more' : null, results: now.slice(offset, offset + 250) };
  });
  await expect(read(options)).rejects.toThrow(/changed while it was read.*run it again/s);
});

it('ends with a NetBox that always has a next page', async () => {
  let asked = 0;
  const options = await netbox(() => {
    asked += 1;
    const results = Array.from({ length: 10_000 }, () => ({ ...releases['3.7'] }));
    return { count: 9e9, next: 'x', results };
  });
  await expect(read(options)).rejects.toThrow(/more than 100000 devices.*--filter/s);
  expect(asked).toBeLessThan(12);
});
