import { beforeAll, expect, it } from 'vitest';
import type { Platform } from '../../model/spec/platform.ts';
import { loadPlatformOrThrow } from '../../platform/load.ts';
import { tlsFilesOf } from '../tls.ts';
import { gatesOf } from './tls.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await loadPlatformOrThrow(['examples/hybrid']);
});

const named = (servers: readonly { readonly name: string; readonly address: string }[]): readonly string[] =>
  servers.map(({ name, address }) => `${name} ${address}`);

it('a blade lets in the blades of its pool, and none of another one', () => {
  const self = { name: 'paris-blade-1', address: '10.1.0.21' };
  const { own, foreign } = gatesOf(platform, platform.edgePools.get('paris-edge'), self);
  expect(named(own)).toEqual(['paris-blade-1 10.1.0.21', 'paris-blade-1 10.1.0.21', 'paris-blade-2 10.1.0.22']);
  expect(named(foreign)).toEqual(['newyork-blade-1 10.2.0.21', 'newyork-blade-2 10.2.0.22']);
});

it('a worker lets in no blade, but itself', () => {
  const { own, foreign } = gatesOf(platform, undefined, { name: 'paris-worker-1', address: '127.0.0.1' });
  expect(named(own)).toEqual(['paris-worker-1 127.0.0.1']);
  expect(foreign).toHaveLength(4);
});

it('the files are named together or not at all', () => {
  const files = { tlsCert: 'a', tlsKey: 'b', tlsCa: 'c' };
  expect(tlsFilesOf(files)).toEqual({ cert: 'a', key: 'b', ca: 'c' });
  expect(tlsFilesOf({})).toBeUndefined();
  // An empty variable in server.env is none.
  expect(tlsFilesOf({ tlsCert: '', tlsKey: '', tlsCa: '' })).toBeUndefined();
  for (const missing of ['tlsCert', 'tlsKey', 'tlsCa'])
    expect(() => tlsFilesOf({ ...files, [missing]: '' })).toThrow('is missing (OptionAlone)');
  expect(() => tlsFilesOf({ tlsMode: 'grace' })).toThrow('(OptionAlone)');
});
