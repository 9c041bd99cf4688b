import { publicFile } from '../access.ts';
import type { ServerContext } from '../context.ts';
import type { Component } from '../document.ts';

/** What every server has: its modules and kernel parameters at boot. What they are stands in `system`, which the formula also sets at once. */
export function common(
  server: ServerContext,
  system: { readonly modules: readonly string[]; readonly sysctl: Readonly<Record<string, string>> },
): Component {
  const parameters = Object.entries(system.sysctl).map(([name, value]) => `${name} = ${value}\n`);
  return {
    name: 'common',
    artifacts: [],
    directories: {},
    files: {
      '/etc/modules-load.d/tideline.conf': { ...publicFile, text: system.modules.map((name) => `${name}\n`).join('') },
      '/etc/sysctl.d/90-tideline.conf': { ...publicFile, text: `# ${server.id}\n${parameters.join('')}` },
    },
    units: {},
  };
}
