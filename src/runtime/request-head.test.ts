import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maxHeadBytes, readHead } from './request-head.ts';

const read = (text: string) => readHead(Buffer.from(text, 'latin1'), ['paris-blade-1']);
const get = (host: string): string => `GET /status HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const whole = (method: string, path: string, query = '') => ({ state: 'whole', head: { method, path, query } });
const refused = (code: number, reason: string) => ({ state: 'refused', code, reason });

it.each([
  ['the name of this server', get('paris-blade-1'), whole('GET', '/status')],
  ['its name in capitals, with a port', get('Paris-Blade-1:9464'), whole('GET', '/status')],
  ['an address', get('10.1.0.11:9464'), whole('GET', '/status')],
  ['an IPv6 address', get('[2001:db8::1]:9464'), whole('GET', '/status')],
  ['localhost', get('localhost'), whole('GET', '/status')],
  ['HEAD', 'HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n', whole('HEAD', '/metrics')],
  ['HTTP/1.0 without Host', 'GET /healthz HTTP/1.0\r\n\r\n', whole('GET', '/healthz')],
  ['a query', 'GET /metrics?name[]=x HTTP/1.0\r\n\r\n', whole('GET', '/metrics', 'name[]=x')],
  ['a query with a question mark', 'GET /a?b=?&c HTTP/1.0\r\n\r\n', whole('GET', '/a', 'b=?&c')],
  ['more requests behind it', `${get('localhost')}${get('localhost')}`, whole('GET', '/status')],
  ['half a head', 'GET /status HTTP/1.1\r\nHost: local', { state: 'partial' }],
  ['a name of somebody else', get('evil.example'), refused(421, 'ForeignHost')],
  ['a name that begins as ours', get('paris-blade-1.evil.example'), refused(421, 'ForeignHost')],
  ['a name that looks like an address', get('10.1.0.11.evil.example'), refused(421, 'ForeignHost')],
  ['no Host in HTTP/1.1', 'GET / HTTP/1.1\r\n\r\n', refused(400, 'BadRequest')],
  ['two of them', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n', refused(400, 'BadRequest')],
  ['a folded field', 'GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n', refused(400, 'BadRequest')],
  ['POST', 'POST /status HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc', refused(405, 'MethodNotAllowed')],
  ['DELETE', 'DELETE /status HTTP/1.0\r\n\r\n', refused(405, 'MethodNotAllowed')],
  ['TLS', '\x16\x03\x01\x02\x00\r\n\r\n', refused(400, 'TlsNotServed')],
  ['a control character', 'GET / HTTP/1.0\r\nA: \x1b[2J\r\n\r\n', refused(400, 'BadRequest')],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refused(400, 'BadRequest')],
  ['a large head', `GET / HTTP/1.0\r\nA: ${'x'.repeat(maxHeadBytes)}\r\n\r\n`, refused(431, 'HeadTooLarge')],
  ['a head without end', 'x'.repeat(maxHeadBytes + 1), refused(431, 'HeadTooLarge')],
])('%s', (_, text, expected) => {
  expect(read(text)).toEqual(expected);
});

it('reads the same head however the bytes are cut, and never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, place) => {
      const bytes = Buffer.from(`${text}\r\n\r\n`, 'latin1');
      const cut = place % bytes.length;
      const early = readHead(bytes.subarray(0, cut), []);
      if (early.state !== 'partial') expect(early).toEqual(readHead(bytes, []));
    }),
  );
});
