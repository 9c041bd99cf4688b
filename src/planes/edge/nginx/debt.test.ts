import { expect, it } from 'vitest';
import { Debt } from './debt.ts';

/** The age of the debt after looks at these times. */
const ageAt = (debt: Debt, ...timesMs: readonly number[]): number => timesMs.map((ms) => debt.ageMs(ms)).at(-1) ?? 0;
const everyQuarter = (fromMs: number, toMs: number): readonly number[] =>
  Array.from({ length: (toMs - fromMs) / 250 }, (_, at) => fromMs + (at + 1) * 250);

it('grows from when the change was sent first, while the agent looks', () => {
  const debt = new Debt();
  expect(ageAt(debt, 0, 60_000)).toBe(0);
  debt.owes(60_000);
  expect(ageAt(debt, ...everyQuarter(60_000, 65_000))).toBe(5000);
  debt.owes(65_000);
  expect(ageAt(debt, ...everyQuarter(65_000, 71_000))).toBe(11_000);
});

it('does not grow by a stall of the agent, however long', () => {
  const debt = new Debt();
  debt.owes(0);
  expect(ageAt(debt, 250, 40_250)).toBe(750);
  expect(ageAt(debt, 40_250, 90_000, 90_250)).toBe(1500);
});

it('starts anew with each part that nginx takes, and ends with its answer', () => {
  const debt = new Debt();
  debt.owes(0);
  expect(ageAt(debt, 500, 1000)).toBe(1000);
  debt.takes(1000);
  expect(ageAt(debt, 1250)).toBe(250);
  debt.ends();
  expect(ageAt(debt, 1500, 1600)).toBe(0);
  debt.takes(1600);
  expect(ageAt(debt, 1800)).toBe(0);
});
