/** Something a step expected of the world and did not find; its message is for people, and the step has failed. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
}

/** Throws Unmet unless the condition holds. */
export function expect(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Unmet(otherwise);
}
