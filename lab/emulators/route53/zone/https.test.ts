import { expect, it } from 'vitest';
import { httpsData } from './https.ts';

const hex = (value: string) => httpsData(value)?.toString('hex');

// The test vectors of RFC 9460, appendix D.
it.each([
  ['0 foo.example.com.', '000003666f6f076578616d706c6503636f6d00'],
  ['1 .', '000100'],
  ['16 foo.example.com. port=53', '001003666f6f076578616d706c6503636f6d00000300020035'],
  [
    '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
    '000103666f6f076578616d706c6503636f6d0000060020' +
      '20010db800000000000000000000000120010db8000000000000000000530001',
  ],
  [
    '16 foo.example.org. ipv4hint=192.0.2.1 alpn=h2,h3-19',
    '001003666f6f076578616d706c65036f7267000001000902683205' + '68332d313900040004c0000201',
  ],
])('%s', (value, wire) => {
  expect(hex(value)).toBe(wire);
});

it.each(['', '1', 'x .', '70000 .', '1 . port=70000', '1 . ipv4hint=2001:db8::1', '1 . port=1 port=2', '1 . key667=x'])(
  'refuses %j',
  (value) => {
    expect(hex(value)).toBeUndefined();
  },
);
