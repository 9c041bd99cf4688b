import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { oddReasons } from '../../test/support/reasons.ts';
import { reasons } from './reasons.ts';
import { askFixes, askReasons, tlsReasons } from './tls/reasons.ts';

it('every reason is given somewhere, and has a sentence', () => {
  expect(oddReasons(import.meta.dirname, reasons)).toEqual([]);
});

it('every reason of certificates as well, and who asks knows the words of the endpoint', () => {
  expect(oddReasons(import.meta.dirname, { ...tlsReasons, ...askReasons })).toEqual([]);
  const ofEndpoint = Object.keys(reasons).filter((reason) => reason !== 'ForeignNetwork');
  const certificates = ofEndpoint.filter((reason) => /Certificate|Tls|ForeignServer/.test(reason));
  expect(
    Object.keys(askReasons)
      .filter((reason) => reason !== 'ServerNotBelieved')
      .toSorted(),
  ).toEqual(certificates.toSorted());
  expect(Object.keys(askFixes).toSorted()).toEqual(Object.keys(askReasons).toSorted());
});

it('every reason is in the README', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  expect(
    Object.keys({ ...reasons, ...tlsReasons, ...askReasons }).filter((reason) => !readme.includes(`\`${reason}\``)),
  ).toEqual([]);
});
