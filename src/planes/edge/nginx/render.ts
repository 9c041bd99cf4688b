import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runFiles } from '../../../model/contract.ts';
import type { CountryRanges } from '../../../model/geo/ranges.ts';
import { selfSigned } from './certificate.ts';
import { type NginxSettings, nginxConf } from './conf.ts';
import { encodeCountries } from './countries.ts';

const luaFolder = fileURLToPath(new URL('./lua', import.meta.url));

/**
 * Writes the data plane into `settings.rendered`: nginx.conf, the Lua files, and the static certificate (made once,
 * then kept), and the countries of addresses, if they are given. It may be repeated; a running nginx does not read the files again.
 */
export async function renderDataPlane(
  settings: NginxSettings,
  nowMs: number,
  countries?: CountryRanges,
): Promise<void> {
  const { rendered } = settings;
  await mkdir(join(rendered, 'lua'), { recursive: true });
  await cp(luaFolder, join(rendered, 'lua', 'tideline'), { recursive: true });
  await keepCertificate(rendered, nowMs);
  await makeControlFolder(settings.runDir);
  if (countries !== undefined) await writeFile(join(rendered, 'countries.bin'), encodeCountries(countries));
  await writeFile(join(rendered, 'nginx.conf'), nginxConf(settings));
}

/**
 * Makes the folder of the control socket where the run directory is there and ours: nginx makes it as well when it starts, but
 * `nginx -t` does not, and binds the socket.
 */
async function makeControlFolder(runDir: string): Promise<void> {
  const found = await stat(runDir).catch(() => undefined);
  if (found === undefined || found.uid !== process.getuid?.()) return;
  await mkdir(join(runDir, dirname(runFiles.nginxSocket)), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    // A unit that only renders may not write there.
    if (!['EEXIST', 'EROFS', 'EACCES'].includes(error.code ?? '')) throw error;
  });
}

async function keepCertificate(folder: string, nowMs: number): Promise<void> {
  const [certificateFile, keyFile] = [join(folder, 'default.crt'), join(folder, 'default.key')];
  const present = await Promise.all([readFile(certificateFile), readFile(keyFile)]).catch(() => undefined);
  if (present !== undefined) return;
  const { certificate, key } = selfSigned('default.tideline.invalid', nowMs);
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(certificateFile, certificate);
}
