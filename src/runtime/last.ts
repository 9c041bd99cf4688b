/** Keeps the last result of a computation for as long as its causes are the same: the same objects, equal texts and numbers. */
export class Last<Result> {
  #kept: { readonly causes: readonly unknown[]; readonly result: Result } | undefined;

  get(causes: readonly unknown[], compute: () => Result): Result {
    const kept = this.#kept;
    if (kept?.causes.length === causes.length && kept.causes.every((cause, index) => Object.is(cause, causes[index])))
      return kept.result;
    const result = compute();
    this.#kept = { causes, result };
    return result;
  }
}
