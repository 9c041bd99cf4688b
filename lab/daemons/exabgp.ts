import { fileURLToPath } from 'node:url';

/**
 * What ExaBGP finds in its environment, as in its unit: a clock that nobody sets (`deploy/exabgp`). Python writes no compiled file
 * beside it, because that folder is the repository's.
 */
export const exabgpEnvironment = {
  PYTHONPATH: fileURLToPath(new URL('../../deploy/exabgp', import.meta.url)),
  PYTHONDONTWRITEBYTECODE: '1',
} as const;
