import { execFile } from 'node:child_process';
import type { Emulator } from '../../../lab/emulators/route53/emulator.ts';
import { compileCache } from '../compile-cache.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command as a person does, with credentials that the emulator takes and without those of PowerDNS. */
export function runTideline(environment: Readonly<Record<string, string>>, args: readonly string[]): Promise<Ran> {
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: compileCache,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    POWERDNS_API_KEY: '',
    ...environment,
  };
  return new Promise((resolve) => {
    const command = ['--disable-warning=ExperimentalWarning', 'src/cli/main.ts', ...args];
    execFile(process.execPath, command, { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** The name server of an emulator, as `--name-server` takes it. */
export const dnsOf = ({ dns }: Emulator): string => `${dns.host}:${dns.port}`;
