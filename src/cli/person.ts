import { hostname, userInfo } from 'node:os';

/** Who runs this, and where, for notes that are read on other machines. */
export function personAndMachine(): string {
  return `${personHere()}@${hostname()}`;
}

/** Who runs this, for the history: also behind sudo. */
export function personHere(): string {
  const { SUDO_USER: behind } = process.env;
  if (behind !== undefined && behind !== '') return behind;
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
