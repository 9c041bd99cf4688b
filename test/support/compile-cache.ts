import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where commands that tests start keep what they compiled (`NODE_COMPILE_CACHE`): from the second start on half the processor time. */
export const compileCache = resolve(import.meta.dirname, '../../build/compile-cache');

/**
 * Makes the state folder of a lab, where its programs find what all tests compiled, as they do from its second start on: a
 * lab starts some forty of them. Anybody may write into it.
 */
export function stateOfLab(folder: string): string {
  mkdirSync(compileCache, { recursive: true });
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o777);
  symlinkSync(compileCache, join(folder, 'compile-cache'));
  return folder;
}
