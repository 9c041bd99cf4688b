/** Whole numbers from 1 up to a greatest one, in the proportions of other numbers, as nearly as they can be. */
export interface Scaled {
  readonly weights: readonly number[];
  readonly isExact: boolean;
}

const exactTo = 1e-9;

/** Scales positive weights: the smallest whole numbers that are exact, else the nearest with the greatest at `most`; none becomes 0. */
export function scaleWeights(weights: readonly number[], most: number): Scaled {
  const greatest = Math.max(...weights);
  for (let top = 1; top <= most; top++) {
    const scaled = weights.map((weight) => (weight * top) / greatest);
    const whole = scaled.map(Math.round);
    const isExact = scaled.every((weight, index) => Math.abs(weight - (whole[index] ?? 0)) < exactTo && weight > 0.5);
    if (isExact) return { weights: whole, isExact };
  }
  return { weights: weights.map((weight) => Math.max(1, Math.round((weight * most) / greatest))), isExact: false };
}
