import { describe, expect, it } from 'vitest';
import { canonicalName, compareNames, isWithin } from './names.ts';
import { parseValue } from './values.ts';

describe('canonicalName', () => {
  it.each([
    ['WWW.Video.Example', 'www.video.example.'],
    ['a.b.', 'a.b.'],
    ['*.video.example', '\\052.video.example.'],
    ['\\052.video.example.', '\\052.video.example.'],
    ['_tideline.video.example', '_tideline.video.example.'],
    ['', undefined],
    ['.', undefined],
    ['a..b', undefined],
    ['a.*.b', 'a.\\052.b.'],
    ['a@b.example', 'a\\100b.example.'],
    ['\\101b.example', 'ab.example.'],
    ['a\\056b.example', 'a\\056b.example.'],
    ['ex\\344mple.example', 'ex\\344mple.example.'],
    ['a\\9b.example', undefined],
    ['ä.example', undefined],
    ['sp ace.b', undefined],
    [`${'x'.repeat(64)}.b`, undefined],
    [`${'xxxxxxx.'.repeat(32)}b`, undefined],
  ])('%s is %s', (text, name) => {
    expect(canonicalName(text)).toBe(name);
  });
});

it('orders names from the root, a name before what is below it', () => {
  const names = ['b.a.', 'a.', 'www.b.', 'a.b.a.', 'b.'];
  expect(names.toSorted(compareNames)).toEqual(['a.', 'b.a.', 'a.b.a.', 'b.', 'www.b.']);
});

it('knows the names of a zone', () => {
  expect(isWithin('a.video.example.', 'video.example.')).toBe(true);
  expect(isWithin('video.example.', 'video.example.')).toBe(true);
  expect(isWithin('evilvideo.example.', 'video.example.')).toBe(false);
});

describe('parseValue', () => {
  it.each([
    ['A', '192.0.2.1', '192.0.2.1'],
    ['AAAA', '2001:DB8:0:0::1', '2001:db8::1'],
    ['CNAME', 'A.Example', 'a.example.'],
    ['MX', '10 mail.example.', { preference: 10, exchange: 'mail.example.' }],
    ['SRV', '1 2 443 host.example', { priority: 1, weight: 2, port: 443, target: 'host.example.' }],
    ['CAA', '0 issue "ca.example"', { flags: 0, tag: 'issue', value: 'ca.example' }],
    ['TXT', '"one" "two \\"quoted\\" \\101"', [Buffer.from('one'), Buffer.from('two "quoted" A')]],
    ['TXT', '""', [Buffer.alloc(0)]],
  ] as const)('%s %s', (type, value, data) => {
    expect(parseValue(type, value)).toEqual({ type, data });
  });

  it.each([
    ['A', '192.0.2'],
    ['A', 'www.example.'],
    ['AAAA', '192.0.2.1'],
    ['CNAME', 'not a name'],
    ['MX', 'mail.example.'],
    ['SRV', '1 2 70000 host.example'],
    ['CAA', '0 other "x"'],
    ['SOA', 'a. b. 1 2 3 4'],
    ['TXT', 'bare'],
    ['TXT', '"open'],
    ['TXT', '"a""b"'],
    ['TXT', '"\\9"'],
    ['TXT', '"ü"'],
  ] as const)('refuses %s %s', (type, value) => {
    expect(parseValue(type, value)).toHaveProperty('problem');
  });
});
