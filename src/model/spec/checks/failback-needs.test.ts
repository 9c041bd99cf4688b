import { expect, test } from 'vitest';
import { twoSites } from '../../../../test/support/platform.ts';
import { guarded } from '../../../../test/support/steering/overlays.ts';
import { buildPlatform } from '../build.ts';

const failback = { mode: 'gradual', holdMinutes: 30, stepShare: 0.1, stepMinutes: 10 };

function warned(providers: readonly string[], change: object): readonly string[] {
  const video = guarded(twoSites(), {}).policies.get('video');
  if (video === undefined) throw new Error('no policy');
  const value = { ...video, spec: { ...video.spec, dns: { ...video.spec.dns, providers }, failback: change } };
  const document = { file: 'object.json', folder: '/', value, broken: false, lineOf: () => 1 };
  return buildPlatform([document], 0).warnings.map(({ reason }) => reason);
}

test.each([
  [['route53'], failback, ['FailbackNeedsAgent']],
  [['powerdns'], failback, ['FailbackUnseen']],
  [['route53', 'powerdns'], failback, ['FailbackUnseen', 'FailbackNeedsAgent']],
  [['route53', 'powerdns'], { ...failback, mode: 'immediate' }, []],
])('of %j and %j', (providers, change, reasons) => {
  expect(warned(providers, change)).toEqual(reasons);
});
