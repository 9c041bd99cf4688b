import { Route53Client } from '@aws-sdk/client-route-53';
import { expect, test } from 'vitest';
import { twoSites } from '../../../../test/support/platform.ts';
import { timing } from '../../../../test/support/steering/emulator.ts';
import { guarded } from '../../../../test/support/steering/overlays.ts';
import { buildPlatform } from '../../../model/spec/build.ts';
import { powerDnsReader } from './powerdns/client.ts';
import { route53Reader } from './route53/read.ts';

const readers = [
  powerDnsReader({ url: 'http://127.0.0.1:1', apiKey: '', ...timing }),
  route53Reader(new Route53Client({ region: 'us-east-1' }), timing),
];

test.each(readers.map((reader) => [reader.name, reader] as const))(
  'the spec warns that %s tells nothing of health exactly where its reader cannot',
  (name, reader) => {
    const video = guarded(twoSites(), {}).policies.get('video');
    if (video === undefined) throw new Error('no policy');
    const { dns, ...spec } = video.spec;
    const value = { ...video, spec: { ...spec, dns: { ...dns, providers: [name] }, failback: { mode: 'byHand' } } };
    const document = { file: 'object.json', folder: '/', value, broken: false, lineOf: () => 1 };
    const reasons = buildPlatform([document], 0).warnings.map(({ reason }) => reason);
    expect(reasons.includes('FailbackUnseen')).toBe(reader.readHealth === undefined);
  },
);
