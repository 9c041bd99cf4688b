import { Worker } from 'node:worker_threads';
import type { Forecast, Question } from '../forecast/forecast.ts';

/** What the thread is asked; the history is a folder. */
export interface ForecastJob {
  readonly folder: string;
  readonly question: Question;
}

/** What the thread answers. */
export interface ForecastDone {
  /** Absent for a history without any step. */
  readonly forecast?: Forecast;
  readonly damaged: number;
}

/** Longer ones are of no use: the minutes that they are about have come. */
const patienceMs = 120_000;

/**
 * Reads a history and forecasts, in a thread of its own: it takes seconds of a processor, in which whoever asks would answer nobody. Rejects with what
 * went wrong there.
 */
export async function forecastInThread(job: ForecastJob): Promise<ForecastDone> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./forecast-thread.${extension}`, import.meta.url), { workerData: job });
  const { promise, resolve, reject } = Promise.withResolvers<ForecastDone>();
  const timer = setTimeout(() => reject(new Error(`a forecast took more than ${patienceMs / 1000} s`)), patienceMs);
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', (code) => reject(new Error(`the thread of a forecast ended with ${code}`)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
