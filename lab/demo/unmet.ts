/** Thrown by a step that did not find what it expected; the step has failed, and the message tells people why. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
}

/** Throws Unmet unless the condition holds. */
export function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Unmet(otherwise);
}
