import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { selfSigned } from './certificate.ts';
import { type NginxSettings, nginxConf } from './conf.ts';

const luaFolder = fileURLToPath(new URL('./lua', import.meta.url));

/**
 * Writes the data plane into `settings.rendered`: nginx.conf, the Lua files, and the static certificate (made once,
 * then kept). It may be repeated; a running nginx does not read the files again.
 */
export async function renderDataPlane(settings: NginxSettings, nowMs: number): Promise<void> {
  const { rendered } = settings;
  await mkdir(join(rendered, 'lua'), { recursive: true });
  await cp(luaFolder, join(rendered, 'lua', 'tideline'), { recursive: true });
  await keepCertificate(rendered, nowMs);
  await writeFile(join(rendered, 'nginx.conf'), nginxConf(settings));
}

async function keepCertificate(folder: string, nowMs: number): Promise<void> {
  const [certificateFile, keyFile] = [join(folder, 'default.crt'), join(folder, 'default.key')];
  const present = await Promise.all([readFile(certificateFile), readFile(keyFile)]).catch(() => undefined);
  if (present !== undefined) return;
  const { certificate, key } = selfSigned('default.tideline.invalid', nowMs);
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(certificateFile, certificate);
}
