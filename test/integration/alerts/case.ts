/**
 * An alert that fires by a fault and ends with it. Series are in promtool's words: `0x59` is a value for an hour, one sample a minute.
 * `quiet` is when nothing may fire yet, `fires` when it must, `over` when it must have ended; each in minutes.
 */
export interface Case {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  readonly quiet: number;
  readonly fires: number;
  readonly over: number;
}

/** Of an alert that waits five minutes. */
export const afterFive = { quiet: 12, fires: 17, over: 42 };

export const fault = '0x9 1x29 0x60';
