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
  /** What the step saw, or what it expected and did not see. */
  readonly detail: string;
}

export interface DemoReport {
  readonly steps: readonly StepReport[];
  /** Configuration reloads of all nginx together; the promise is none. */
  readonly nginxReloads: number;
  /** Milliseconds from the command to the first request that a client got served. */
  readonly firstServedAfterMs: number;
  /** Proportional memory of every process of the lab at the end of the scenario, in MiB. */
  readonly memoryMiB: number;
  readonly ok: boolean;
}

export function summarise(
  steps: readonly StepReport[],
  figures: { readonly nginxReloads: number; readonly firstServedAfterMs: number; readonly memoryMiB: number },
): DemoReport {
  return { steps, ...figures, ok: steps.length > 0 && steps.every(({ ok }) => ok) && figures.nginxReloads === 0 };
}

/** Writes the report whole or not at all. */
export async function writeReport(file: string, report: DemoReport): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.part`, `${JSON.stringify(report, undefined, 2)}\n`);
  await rename(`${file}.part`, file);
}
