/**
 * Gives each of several choices its turn so that after any number of turns none is more than one behind its weight. Weights may change between turns;
 * a choice that is new, or that comes back, starts without credit.
 */
export class Turns {
  readonly #credit = new Map<string, number>();

  /** The next choice; undefined when no weight is above zero. */
  next(weights: ReadonlyMap<string, number>): string | undefined {
    for (const name of this.#credit.keys()) if (!weights.has(name)) this.#credit.delete(name);
    const total = [...weights.values()].reduce((all, weight) => all + weight, 0);
    if (total <= 0) return undefined;
    let chosen: string | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const [name, weight] of weights) {
      const credit = (this.#credit.get(name) ?? 0) + weight / total;
      this.#credit.set(name, credit);
      if (weight > 0 && credit > most) {
        chosen = name;
        most = credit;
      }
    }
    if (chosen !== undefined) this.#credit.set(chosen, most - 1);
    return chosen;
  }
}
