import { pino } from 'pino';
import { printableJson } from '../model/printable.ts';
import { withoutUrlSecrets } from '../model/secrets.ts';

/**
 * Structured logs: a constant message plus fields. Every line has `component`; every refusal has `reason` from its
 * room's catalogue.
 */
export interface Log {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
  child(fields: Fields): Log;
}
export type Fields = Readonly<Record<string, unknown>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Makes a log that writes one JSON object a line on standard error, so that standard output is left to the command. */
export function createLog(component: string, level: LogLevel = 'info'): Log {
  const standardError = pino.destination({ dest: 2, sync: true });
  // Lines hold texts of other people, and end on a terminal: journalctl prints them as they are.
  const destination = { write: (line: string) => standardError.write(printableJson(withoutUrlSecrets(line))) };
  return pino({ level, base: { component }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
