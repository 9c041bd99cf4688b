import { parentPort, workerData } from 'node:worker_threads';
import { forecast } from '../forecast/forecast.ts';
import type { ForecastDone, ForecastJob } from './forecast-run.ts';
import { readHistory } from './store.ts';

/** The thread of `forecast-run.ts`: one forecast, and its end. */
const { folder, question } = workerData as ForecastJob;
const { steps, damaged } = await readHistory(folder).catch((error: NodeJS.ErrnoException) => {
  // Nothing was measured yet.
  if (error.code === 'ENOENT') return { steps: [], damaged: 0 };
  throw error;
});
const made = forecast(steps, question);
const done: ForecastDone = { damaged, ...(made === undefined ? {} : { forecast: made }) };
parentPort?.postMessage(done);
