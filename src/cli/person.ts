import { userInfo } from 'node:os';

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
