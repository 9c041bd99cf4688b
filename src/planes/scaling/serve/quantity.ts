/** An autoscaler reckons in thousandths of 64 bits. */
const most = 9e12;

/**
 * A number as a quantity of Kubernetes, with three decimals at most and rounded up, so that what is little does not become nothing: `43`,
 * `12500m`. Undefined for what is no number, or less than nothing.
 */
export function quantityOf(value: number): string | undefined {
  if (Number.isNaN(value) || value < 0) return undefined;
  // Sums of fractions are a little more than what they stand for at times, which is no reason for one more thousandth.
  const thousandths = Math.ceil(Math.min(value, most) * 1000 - 1e-6);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}
