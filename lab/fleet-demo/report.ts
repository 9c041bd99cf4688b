/** The result of one step of the fleet's scenario. */
export interface FleetStepReport {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Requests of the client that were begun during the step. */
  readonly requests: number;
  readonly failed: number;
  /** Requests that were served but sent twice, because their connection was closed before any byte of the answer. */
  readonly retried: number;
  /** From the fault to the last failed request; 0 when none failed; null for steps without a fault. */
  readonly recoveredAfterMs: number | null;
  /** What the step saw, or what it expected and did not see. */
  readonly detail: string;
}

export interface FleetReport {
  readonly steps: readonly FleetStepReport[];
  /** The steps that were left out, because one before them failed or the person left. */
  readonly notPlayed: readonly string[];
  /** Proportional memory of every process of the fleet at the end of the scenario, in MiB. */
  readonly memoryMiB: number;
  readonly ok: boolean;
}

/** The report of these steps of a scenario (pure): it went well where every step was played and did. */
export function summarise(
  scenario: readonly { readonly name: string }[],
  steps: readonly FleetStepReport[],
  memoryMiB: number,
): FleetReport {
  const notPlayed = scenario.map(({ name }) => name).filter((name) => !steps.some((step) => step.name === name));
  return { steps, notPlayed, memoryMiB, ok: notPlayed.length === 0 && steps.every(({ ok }) => ok) };
}

/** The report for people: how it went on the first line, then what went wrong, what was not played, and the file. */
export function summary(report: FleetReport, file: string): readonly string[] {
  const { steps, notPlayed, memoryMiB } = report;
  const bad = steps.filter(({ ok }) => !ok);
  const requests = steps.reduce((sum, step) => sum + step.requests, 0);
  const failed = steps.reduce((sum, step) => sum + step.failed, 0);
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  return [
    `${steps.length - bad.length} of ${steps.length} steps went well in ${Math.round(seconds)} s, ${requests} requests of which ${failed} failed, ${memoryMiB} MiB`,
    ...bad.map(({ name, detail }) => `FAILED ${name}: ${detail}`),
    ...(notPlayed.length === 0 ? [] : [`not played: ${notPlayed.join(', ')}`]),
    `report in ${file}`,
  ];
}

/** One step as lines of text. */
export function stepLines(report: FleetStepReport): readonly string[] {
  const { ok, name, seconds, requests, failed, retried, recoveredAfterMs, detail } = report;
  const recovered = recoveredAfterMs === null || failed === 0 ? '' : `, recovered after ${recoveredAfterMs} ms`;
  const asked = requests === 0 ? '' : `, ${requests} requests, ${failed} failed${recovered}, ${retried} retried`;
  const [first = '', ...more] = detail.split('\n');
  return [`${ok ? 'ok' : 'FAILED'} ${name}: ${seconds} s${asked}`, ...[first, ...more].map((line) => `  ${line}`)];
}
