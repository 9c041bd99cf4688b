import { execFile } from 'node:child_process';
import { InputError } from '../../model/problem.ts';

/** The versions that `test/integration/bgp` is run with. Others speak to their API child in other ways. */
const tried = /^4\.2\./;

/**
 * Throws an InputError (`ExabgpUntried`) when the ExaBGP that this machine would start is one that was not tried. A machine without
 * any is fine: a configuration can be made elsewhere.
 */
export async function checkExabgp(environment: NodeJS.ProcessEnv): Promise<void> {
  const version = (await versionOf(['--version'], environment)) ?? (await versionOf(['version'], environment));
  if (version === undefined || tried.test(version)) return;
  throw new InputError({
    reason: 'ExabgpUntried',
    message: `the ExaBGP of this machine has version ${version}, with which AS-path prepends, reasons of sessions and the end of a hung relay do not work`,
    expected: 'ExaBGP 4.2, as Debian 12 has it',
    fix: 'install the package exabgp of Debian, and see that no other one comes first in the PATH',
  });
}

/** ExaBGP 4 knows `--version` only, ExaBGP 5 `version` only. Undefined where there is none, or it says none. */
function versionOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('exabgp', args, { env, timeout: 10_000, maxBuffer: 65_536 }, (_, stdout) => {
      resolve(/^ExaBGP\s*:\s*([\w.+~-]{1,40})\s*$/m.exec(stdout)?.[1]);
    });
  });
}
