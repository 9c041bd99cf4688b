import type { Command } from 'commander';

/** What a command file exports: it adds itself to the program. One file per command; only here is process.env read. */
export type Register = (program: Command) => void;
