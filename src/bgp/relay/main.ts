import { runRelay } from './run.ts';

// The relay's own entry: ExaBGP runs this file directly, without the command-line program, so that it is small and starts fast.
const code = runRelay(process.argv.slice(2));
if (code !== undefined) process.exitCode = code;
