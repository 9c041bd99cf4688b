/** One figure of a bench, with the peer and the budget that it is compared with. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  /** The peer that was measured in the same run. */
  readonly peer?: string;
  readonly ratio?: number;
  /** The interval that holds the true ratio with a probability of 95 %. */
  readonly interval?: readonly [low: number, high: number];
  readonly budget?: string;
  /** Whether the figure is within its budget; absent when it has none. */
  readonly met?: boolean;
}

/** A bench reports what it is doing and resolves with its rows. All that it started has ended when it resolves or rejects. */
export interface Bench {
  readonly name: string;
  /** Installs what the bench compares with; it alone reaches package registries. */
  readonly prepare?: () => Promise<void>;
  readonly run: (reportProgress: (doing: string) => void) => Promise<readonly Row[]>;
}

/** A figure with its unit, to three digits: `1.62 ms`, `240 MiB`. */
export function figure(value: number, unit: string): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}

/** The row of a figure that must not exceed its budget. */
export function atMost(what: string, value: number, limit: number, unit: string): Row {
  return { what, measured: figure(value, unit), budget: `≤ ${limit} ${unit}`, met: value <= limit };
}

export function markdownTable(rows: readonly Row[]): string {
  const head = ['what', 'measured', 'peer', 'ratio', 'budget', 'met'];
  const lines = rows.map(({ what, measured, peer, ratio, interval, budget, met }) => [
    what,
    measured,
    peer ?? '',
    ratio === undefined
      ? ''
      : ratio.toFixed(2) + (interval ? ` (${interval.map((end) => end.toFixed(2)).join(' to ')})` : ''),
    budget ?? '',
    met === undefined ? '' : met ? 'yes' : '**no**',
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
