import type { TestZone } from './account.ts';
import { type Question, questions } from './questions.ts';

export interface Settled extends Pick<Question, 'id' | 'asks' | 'assumed'> {
  /** What was found; absent when the question could not be settled. */
  readonly answer?: string;
  readonly problem?: string;
}

/** Settles every question, one after the other, and removes after each what it made; also when it failed. */
export async function settleAll(zone: TestZone, onStep: (id: string) => void): Promise<readonly Settled[]> {
  await zone.cleanUp();
  const settled: Settled[] = [];
  for (const { id, asks, assumed, settle } of questions) {
    onStep(id);
    try {
      settled.push({ id, asks, assumed, answer: await settle(zone) });
    } catch (error) {
      settled.push({ id, asks, assumed, problem: error instanceof Error ? error.message : String(error) });
    } finally {
      await zone.cleanUp();
    }
  }
  return settled;
}

/** Lines for people. */
export function renderSettled(all: readonly Settled[]): readonly string[] {
  return all.flatMap(({ id, asks, assumed, answer, problem }) => [
    `${id}: ${asks}`,
    problem === undefined
      ? `  ${answer === assumed ? 'as assumed' : `OTHERWISE than assumed (${assumed})`}: ${answer}`
      : `  not settled: ${problem}`,
  ]);
}
