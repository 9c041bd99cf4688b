import { printErrorLines } from '../runtime/print.ts';

/** Tells a person on standard error that a command still works, once it has worked for a second. */
export interface Progress {
  /** Names what happens now; it is printed on a terminal only. */
  readonly step: (step: string) => void;
  /** Says what went wrong on the way and is tried again; it is printed without a terminal as well, for logs. */
  readonly trouble: (line: string) => void;
  readonly end: () => void;
}

export function showProgress(): Progress {
  let current: string | undefined;
  let silent = true;
  const write = () => {
    if (current !== undefined && process.stderr.isTTY) printErrorLines([`${current} ...`]);
  };
  const timer = setTimeout(() => {
    silent = false;
    write();
  }, 1000).unref();
  return {
    step: (step) => {
      current = step;
      if (!silent) write();
    },
    trouble: (line) => {
      if (!silent) printErrorLines([line]);
    },
    end: () => clearTimeout(timer),
  };
}
