import { expect, test } from 'vitest';
import { SteeringError, steeringReasons } from './reasons.ts';

test.each(Object.entries(steeringReasons))('%s is a name with a sentence', (reason, meaning) => {
  expect(reason).toMatch(/^([A-Z][a-z]+)+$/);
  expect(meaning).toMatch(/^[A-Z].*\.$/);
});

test('the name stands at the end of the message', () => {
  expect(new SteeringError('ZoneMissing', 'no zone example.net').message).toBe('no zone example.net (ZoneMissing)');
});
