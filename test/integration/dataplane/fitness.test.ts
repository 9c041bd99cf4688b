import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { withoutUndefined } from '../../../src/model/values.ts';
import type { NginxSettings } from '../../../src/planes/edge/nginx/conf.ts';
import { vip, World } from './world.ts';

/** What a blade sees of its own nginx. */

let world: World | undefined;
afterEach(async () => {
  await world?.destroy();
  world = undefined;
});

/** The `instance` that a probe from the blade itself gets; undefined when it gets none. */
async function probe(kind: 'httpProbe' | 'tlsProbe', proxyProtocol = false): Promise<string | undefined> {
  const file = new URL('../../../src/planes/edge/vips/probe.ts', import.meta.url).href;
  const port = kind === 'httpProbe' ? 80 : 443;
  const call = `${kind}({ timeoutMs: 5000, proxyProtocol: ${proxyProtocol} })({ family: 4, text: '${vip}' }, ${port})`;
  const script = `import { ${kind} } from '${file}'; console.log(await ${call});`;
  const said = (await world!.network.exec('edge', process.execPath, '--input-type=module', '-e', script)).trim();
  return said === 'undefined' ? undefined : said;
}

describe('the probe over TLS', () => {
  it.each<readonly [string, NginxSettings['trustedProxies']]>([
    ['has its answer from an nginx without any table or certificate of a tenant', undefined],
    ['speaks the PROXY protocol', { prefixes: ['198.51.100.0/24'], via: 'proxyProtocol' }],
  ])('%s', async (_, trustedProxies) => {
    world = await World.create(withoutUndefined({ trustedProxies }));
    const { body } = (await world.control('GET', '/v1/status')) as { body: { instance: string } };
    expect(await probe('tlsProbe', trustedProxies !== undefined)).toBe(body.instance);
  });

  it('fails while handshakes fail, and plain HTTP goes on', async () => {
    const fault = `local certificate = require "tideline.certificate"
local present = certificate.present
certificate.present = function()
  local file = io.open(FOLDER .. "/broken")
  if not file then
    return present()
  end
  file:close()
  return ngx.exit(ngx.ERROR)
end`;
    world = await World.create({}, fault);
    const broken = join(world.folder, 'broken');
    const instance = await probe('httpProbe');
    expect(instance).toBeDefined();
    await writeFile(broken, '');
    expect([await probe('httpProbe'), await probe('tlsProbe')]).toEqual([instance, undefined]);
    await rm(broken);
    expect(await probe('tlsProbe')).toBe(instance);
  });
});
