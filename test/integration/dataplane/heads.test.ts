import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backend, host, table, vip, World } from './world.ts';

/** What becomes of answers of pods that RFC 9110 and RFC 9112 forbid, or leave to a gateway. Each row is a pod of its own. */

let world: World;

const ok = 'HTTP/1.1 200 OK\r\n';
const five = 'Content-Length: 5\r\n\r\nhello';
const chunks = '\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
const names = (count: number) => Array.from({ length: count }, (_, index) => `x-n${index}`).join(', ');

/** A 502 with the reason; nothing of the pod reaches the client. */
const refused = {
  ResponseCodingUnsupported: {
    'a coding before chunked': `${ok}Transfer-Encoding: gzip, chunked${chunks}`,
    'a coding behind chunked': `${ok}Transfer-Encoding: chunked, gzip${chunks}`,
    'another coding alone': `${ok}Transfer-Encoding: gzip\r\n\r\nhello`,
    'another coding with a length': `${ok}Transfer-Encoding: gzip\r\n${five}`,
    'the coding identity': `${ok}Transfer-Encoding: identity\r\n${five}`,
    'a word in which chunked occurs': `${ok}Transfer-Encoding: xchunked${chunks}`,
    'two lines, the first of another coding': `${ok}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked${chunks}`,
    'a parameter of chunked': `${ok}Transfer-Encoding: chunked;q=1${chunks}`,
  },
  ResponseLengthInvalid: {
    'a plus': `${ok}Content-Length: +5\r\n\r\nhello`,
    'a minus': `${ok}Content-Length: -5\r\n\r\nhello`,
    'a list of the same': `${ok}Content-Length: 5, 5\r\n\r\nhello`,
    'a hexadecimal number': `${ok}Content-Length: 0x5\r\n\r\nhello`,
    'an exponent': `${ok}Content-Length: 5e0\r\n\r\nhello`,
    'a fraction': `${ok}Content-Length: 5.0\r\n\r\nhello`,
    'no number': `${ok}Content-Length: \r\n\r\nhello`,
    'a number beyond 64 bits': `${ok}Content-Length: 99999999999999999999\r\n\r\nhello`,
    'a tab before the number': `${ok}Content-Length:\t5\r\n\r\nhello`,
  },
  ResponseHeadInvalid: {
    'a folded line': `${ok}X-A: a\r\n b\r\n${five}`,
    'a line folded by a tab': `${ok}X-A: a\r\n\tb\r\n${five}`,
    'a first line that begins with a space': `${ok} X-A: a\r\n${five}`,
    'a CR within a value': `${ok}X-A: a\rb\r\n${five}`,
    'a NUL within a value': `${ok}X-A: a\0b\r\n${five}`,
    'a NUL within a name': `${ok}X\0A: a\r\n${five}`,
    'a space before the colon': `${ok}X-A : a\r\n${five}`,
    'a space before the colon of the length': `${ok}Content-Length : 5\r\n\r\nhello`,
    'a field without a name': `${ok}: a\r\n${five}`,
    'a pseudo-field': `${ok}:status: 302\r\n${five}`,
    'a head of 66 kB': `${ok}X-A: ${'a'.repeat(66_000)}\r\n${five}`,
    'a Connection field of 33 names': `${ok}Connection: ${names(33)}\r\n${five}`,
    'a length, then a line that is no field': `${ok}Content-Length: 5\r\nX-A : a\r\n\r\nhello`,
  },
  ResponseNotHttp: {
    'a status of two digits': `HTTP/1.1 20 OK\r\n${five}`,
    'a status of four digits': `HTTP/1.1 2000 OK\r\n${five}`,
    'the status 000': `HTTP/1.1 000 OK\r\n${five}`,
    'a CR within the reason phrase': `HTTP/1.1 200 O\rK\r\n${five}`,
    'small letters': `http/1.1 200 OK\r\n${five}`,
    'another protocol': `FOO/1.1 200 OK\r\n${five}`,
    'an empty line first': `\r\nHTTP/1.1 200 OK\r\n${five}`,
  },
} as const;

/** What reaches the client: the status, the fields of HTTP/1 but for `Connection`, and the body. */
interface Passed {
  readonly bytes: string;
  readonly status?: number;
  readonly fields: readonly string[];
  /** Fields over HTTP/2, where they differ. */
  readonly over2?: readonly string[];
  readonly body?: string;
}
const length5 = ['content-length: 5'];
const chunked = { fields: ['transfer-encoding: chunked'], over2: [] };

const passed: Readonly<Record<string, Passed>> = {
  '204 with a length and a body': {
    bytes: `HTTP/1.1 204 No Content\r\nETag: "1"\r\n${five}`,
    status: 204,
    fields: ['etag: "1"'],
    body: '',
  },
  '204 with a length of 0': {
    bytes: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    status: 204,
    fields: [],
    body: '',
  },
  '204 with chunks': {
    bytes: `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked${chunks}`,
    status: 204,
    fields: [],
    body: '',
  },
  // The length of what a 200 would have had (RFC 9110, 8.6).
  '304 with a length and a body': {
    bytes: `HTTP/1.1 304 Not Modified\r\n${five}`,
    status: 304,
    fields: length5,
    body: '',
  },
  '304 with chunks': {
    bytes: `HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked${chunks}`,
    status: 304,
    fields: [],
    body: '',
  },
  'a length between spaces': { bytes: `${ok}Content-Length:   5  \r\n\r\nhello`, fields: length5 },
  'a length with leading zeros': { bytes: `${ok}Content-Length: 005\r\n\r\nhello`, fields: length5 },
  'more than the length says': { bytes: `${ok}Content-Length: 5\r\n\r\nhello world`, fields: length5 },
  'chunks and a length': { bytes: `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked${chunks}`, ...chunked },
  'chunks and a length that is no number': {
    bytes: `${ok}Content-Length: x\r\nTransfer-Encoding: chunked${chunks}`,
    ...chunked,
  },
  'chunks in capital letters': { bytes: `${ok}Transfer-Encoding: CHUNKED${chunks}`, ...chunked },
  'lines that end in LF alone': {
    bytes: 'HTTP/1.1 200 OK\nX-A: a\nContent-Length: 5\n\nhello',
    fields: [...length5, 'x-a: a'],
  },
  'fields that Connection names': {
    bytes: `${ok}Connection: X-Secret,x-other, close, Content-Length\r\nX-Secret: 1\r\nX-SECRET: 2\r\nX-Other: 3\r\nX-Kept: 4\r\n${five}`,
    fields: [...length5, 'x-kept: 4'],
  },
  'fields that Connection names, of chunks': {
    bytes: `${ok}X-Secret: 1\r\nconnection: x-secret\r\nTransfer-Encoding: chunked${chunks}`,
    ...chunked,
  },
  'fields of one connection': {
    bytes: `${ok}Keep-Alive: timeout=9\r\nProxy-Connection: close\r\nTE: gzip\r\nTrailer: X\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n${five}`,
    fields: length5,
  },
  'two types, of which the last counts': {
    bytes: `${ok}Content-Type: text/plain\r\nContent-Type: text/css\r\n${five}`,
    fields: [...length5, 'content-type: text/css'],
  },
  'two fields of which there should be one': {
    bytes: `HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n${five}`,
    status: 302,
    fields: [...length5, 'location: /a', 'location: /b'],
    over2: [...length5, 'location: /a'],
  },
  'a field Status, which means nothing': {
    bytes: `${ok}Status: 404 Not Found\r\n${five}`,
    fields: [...length5, 'status: 404 Not Found'],
  },
  'no reason phrase': { bytes: `HTTP/1.1 200\r\n${five}`, fields: length5 },
  'a status that nobody knows': { bytes: `HTTP/1.1 799 X\r\n${five}`, status: 799, fields: length5 },
};

const rows = [
  ...Object.values(refused).flatMap((pods) => Object.entries<string>(pods)),
  ...Object.entries(passed).map(([name, { bytes }]) => [name, bytes] as const),
];
const cut = {
  'a length': `${ok}Content-Length: 50\r\n\r\nhello`,
  chunks: `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
  'a head': `${ok}Content-Length: 5\r\n`,
} as const;
const hostOf = (name: string): string => `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.example`;

beforeAll(async () => {
  world = await World.create({ workers: 1 });
  const all = [...rows, ...Object.entries(cut).map(([name, bytes]) => [`cut ${name}`, bytes] as const)];
  const backends = [];
  for (const [index, [name, bytes]] of all.entries())
    backends.push(backend(`n/p${index}/80`, await world.rawPod(10 + index, bytes, { close: name.startsWith('cut ') })));
  const hosts = all.map(([name], index) => host(hostOf(name), { 'prefix /': `n/p${index}/80` }));
  await world.plane.apply(table({ hosts, backends }));
}, 60_000);
afterAll(() => world.destroy());

interface Answer {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
}

/** Fields that say nothing of the pod. */
const own = /^(date|server|connection): /;

/** Everything that comes over HTTP/1.1 until the end of the connection. */
function bytesOf(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const ask = `GET / HTTP/1.1\r\nHost: ${hostOf(name)}\r\nConnection: close\r\n\r\n`;
    const socket = connect(80, vip, () => socket.write(ask));
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(10_000, () => socket.destroy(new Error(`still open behind ${JSON.stringify(answer)}`)));
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

async function ask1(name: string): Promise<Answer> {
  const [head = '', rest = ''] = (await bytesOf(name)).split(/\r\n\r\n(.*)/s);
  const [line = '', ...lines] = head.split('\r\n');
  const fields = lines.map((field) => field.replace(/^[^:]+/, (key) => key.toLowerCase()));
  const body = fields.includes('transfer-encoding: chunked') ? rest.replace(/^5\r\n(.*)\r\n0\r\n\r\n$/s, '$1') : rest;
  return { status: Number(line.split(' ')[1]), fields: fields.filter((field) => !own.test(field)), body };
}

function ask2(name: string): Promise<Answer> {
  const session = connectHttp2(`https://${vip}`, { rejectUnauthorized: false, secureContext: createSecureContext() });
  return new Promise<Answer>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({ ':path': '/', ':authority': hostOf(name) });
    stream.setTimeout(5000, () => reject(new Error(`no answer of ${name} over HTTP/2 within 5 s`)));
    let [status, fields, body]: [number, readonly string[], string] = [0, [], ''];
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
      fields = Object.entries(headers).map(([key, value]) => `${key}: ${String(value)}`);
    });
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      body += chunk;
    });
    stream.on('error', reject);
    stream.on('end', () =>
      resolve({ status, fields: fields.filter((field) => !own.test(field) && !field.startsWith(':')), body }),
    );
  }).finally(() => session.destroy());
}

const counted = async (reason: string): Promise<number> =>
  ((await world.control('GET', '/v1/status')).body as { answered: Record<string, number> }).answered[reason] ?? 0;

describe.each(Object.entries(refused))('%s is the reason of a 502 for an answer with', (reason, pods) => {
  it.each(Object.keys(pods))('%s', async (name) => {
    const before = await counted(reason);
    // Where there is no status line, nginx sends none either (decision 59).
    const first = reason === 'ResponseNotHttp' ? await bytesOf(name) : await ask1(name);
    if (typeof first === 'string') expect(first).toBe('');
    else expect(first).toMatchObject({ status: 502, body: expect.not.stringContaining('hello') });
    const second = await ask2(name);
    expect(second).toMatchObject({ status: 502, body: expect.not.stringContaining('hello') });
    expect(second.fields.filter((field) => field.startsWith('x-'))).toEqual([]);
    expect(await counted(reason)).toBe(before + 2);
  });
});

describe('the client gets what it may of an answer with', () => {
  it.each(Object.entries(passed))('%s', async (name, { status = 200, fields, over2 = fields, body = 'hello' }) => {
    // The second request finds the connection to the pod as the first one left it.
    for (const turn of [1, 2]) {
      const reply = await ask1(name);
      expect({ turn, ...reply, fields: reply.fields.toSorted() }).toEqual({
        turn,
        status,
        fields: fields.toSorted(),
        body,
      });
    }
    const reply = await ask2(name);
    expect({ ...reply, fields: reply.fields.toSorted() }).toEqual({ status, fields: over2.toSorted(), body });
  });
});

describe('an answer that its pod broke off', () => {
  it('within a body does not look whole', async () => {
    expect(await bytesOf('cut a length')).toMatch(/Content-Length: 50\r\n.*\r\n\r\nhello$/s);
    expect(await bytesOf('cut chunks')).toMatch(/\r\n\r\n5\r\nhello\r\n$/);
    for (const name of ['cut a length', 'cut chunks']) await expect(ask2(name)).rejects.toThrow('INTERNAL_ERROR');
  });

  it('within its head is a 502 by name, and no length of the pod is taken for ours', async () => {
    const before = await counted('ResponseHeadInvalid');
    const reply = await ask1('cut a head');
    expect(reply).toMatchObject({ status: 502, body: expect.stringContaining('502 Bad Gateway') });
    expect(reply.fields).toContain(`content-length: ${reply.body.length}`);
    expect(await counted('ResponseHeadInvalid')).toBe(before + 1);
  });
});
