import type { FileAccess } from './document.ts';

/** Who owns files and who may read them. */

export const publicFile = { user: 'root', group: 'root', mode: '0644' } as const satisfies FileAccess;
export const publicFolder = { user: 'root', group: 'root', mode: '0755' } as const satisfies FileAccess;
export const program = { user: 'root', group: 'root', mode: '0755' } as const satisfies FileAccess;

/** A file that only this user reads. */
export const ownFile = (user: string): FileAccess => ({ user, group: user, mode: '0600' });

/** A folder that only this user enters. */
export const ownFolder = (user: string): FileAccess => ({ user, group: user, mode: '0700' });
