import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The result of one step of the scenario, judged from outside by the clients. */
export interface StepReport {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Requests of all clients that ended during the step. */
  readonly requests: number;
  readonly failed: number;
  /**
   * Requests that were served but sent twice: their connection was lost before any byte of the answer, because its flow moved
   * to another server.
   */
  readonly retried: number;
  /** From the fault to the last failed request; 0 when none failed; null for steps without a fault. */
  readonly recoveredAfterMs: number | null;
  /** The alerts that fired at some time of the step, each with its cluster. */
  readonly alerts: readonly string[];
  /** What the step saw, or what it expected and did not see. */
  readonly detail: string;
}

export interface DemoReport {
  readonly steps: readonly StepReport[];
  /** The steps that were left out, because the person skipped them or left. */
  readonly notPlayed: readonly string[];
  /** Configuration reloads of all nginx together; the promise is none. */
  readonly nginxReloads: number;
  /** Milliseconds from the command to the first request that a client got served. */
  readonly firstServedAfterMs: number;
  /** Proportional memory of every process of the lab at the end of the scenario, in MiB. */
  readonly memoryMiB: number;
  readonly ok: boolean;
}

export function summarise(steps: readonly StepReport[], figures: Omit<DemoReport, 'steps' | 'ok'>): DemoReport {
  return { steps, ...figures, ok: steps.length > 0 && steps.every(({ ok }) => ok) && figures.nginxReloads === 0 };
}

/** The report for people: how it went on the first line, then what went wrong, what was not played, which alerts fired, and the file. */
export function summary(report: DemoReport, file: string): readonly string[] {
  const { steps, notPlayed } = report;
  const failed = steps.filter(({ ok }) => !ok);
  const requests = steps.reduce((sum, step) => sum + step.requests, 0);
  const lost = steps.reduce((sum, step) => sum + step.failed, 0);
  const first = (report.firstServedAfterMs / 1000).toFixed(1);
  const alerts = [...new Set(steps.flatMap((step) => step.alerts))];
  return [
    `${steps.length - failed.length} of ${steps.length} steps went well, ${requests} requests of which ${lost} failed, ${report.nginxReloads} nginx reloads, first request served after ${first} s, ${report.memoryMiB} MiB`,
    ...failed.map(({ name, detail }) => `FAILED ${name}: ${detail}`),
    ...(notPlayed.length === 0 ? [] : [`not played: ${notPlayed.join(', ')}`]),
    ...(alerts.length === 0 ? [] : [`alerts that fired: ${alerts.join(', ')}`]),
    `report in ${file}`,
  ];
}

/** Writes the report whole or not at all. */
export async function writeReport(file: string, report: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.part`, `${JSON.stringify(report, undefined, 2)}\n`);
  await rename(`${file}.part`, file);
}
