import { expect, it } from 'vitest';
import { parseListenAddress } from './options.ts';

it.each([
  ['127.0.0.1:9463', { host: '127.0.0.1', port: 9463 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['host.example:80', { host: 'host.example', port: 80 }],
])('reads the address %s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

it.each(['', '9463', '::1:80', 'a:b', '1.2.3.4:70000', '[::1]'])('refuses the address "%s"', (text) => {
  expect(() => parseListenAddress(text)).toThrow('expected');
});
