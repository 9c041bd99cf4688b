import type { Registry } from 'prom-client';

/** What was counted elsewhere for one set of labels: `buckets` has one count more than there are bounds, none cumulative. */
export interface CountedRow<L extends string> {
  readonly labels: Readonly<Record<L, string>>;
  readonly buckets: readonly number[];
  readonly sum: number;
}

interface Value {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A histogram that another process counts: it is set as a whole, where prom-client's own observes one value at a time. */
export class CountedHistogram<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly labelNames: readonly L[];
  readonly #bounds: readonly number[];
  #rows: readonly CountedRow<L>[] = [];

  constructor(options: {
    readonly name: string;
    readonly help: string;
    readonly labelNames: readonly L[];
    /** The upper bounds of the buckets, without the last one, which has none. */
    readonly bounds: readonly number[];
    readonly registers: readonly Registry[];
  }) {
    this.name = options.name;
    this.help = options.help;
    this.labelNames = options.labelNames;
    this.#bounds = options.bounds;
    // The registry asks no more of a metric than this class has.
    for (const registry of options.registers) registry.registerMetric(this as never);
  }

  set(rows: readonly CountedRow<L>[]): void {
    this.#rows = rows;
  }

  reset(): void {
    this.#rows = [];
  }

  get(): object {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#rows.flatMap((row) => this.#values(row)) };
  }

  #values({ labels, buckets, sum }: CountedRow<L>): readonly Value[] {
    let total = 0;
    const cumulative = [...this.#bounds.map(String), '+Inf'].map((le, place): Value => {
      total += buckets[place] ?? 0;
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le }, value: total };
    });
    const value = (suffix: string, amount: number): Value => ({
      metricName: `${this.name}_${suffix}`,
      labels,
      value: amount,
    });
    return [...cumulative, value('sum', sum), value('count', total)];
  }
}
