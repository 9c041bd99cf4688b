import { expect, test } from 'vitest';
import { fromName } from './convert.ts';

test.each([
  ['WWW.video.example.', 'www.video.example'],
  ['\\052.video.example.', '*.video.example'],
  ['\\137dmarc.video.example.', '_dmarc.video.example'],
  ['mail\\100home.video.example.', 'mail@home.video.example'],
  // A dot within a label: otherwise a record of somebody else would stand for a host of ours.
  ['a\\056www.video.example.', 'a\\056www.video.example'],
  ['a\\134b.video.example.', 'a\\134b.video.example'],
])('Route 53 writes %s for what we compare as %s', (written, compared) => {
  expect(fromName(written)).toBe(compared);
});
