import type { Command } from 'commander';

/** The function that each command file exports: it adds its command to the program. Only `src/cli` reads process.env. */
export type Register = (program: Command) => void;
