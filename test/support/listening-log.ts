import type { Fields, Log } from '../../src/runtime/log.ts';

/** A log that keeps its lines, as `level message reason detail`. */
export function listeningLog(lines: string[]): Log {
  const write = (level: string) => (fields: Fields, message: string) => {
    lines.push([level, message, fields.reason, fields.detail].filter((word) => typeof word === 'string').join(' '));
  };
  const log: Log = {
    debug: () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return log;
}
