/** A processor, by the names that Debian and Node give it. */
export interface Architecture {
  readonly debian: string;
  readonly node: string;
}

export const architectures: readonly Architecture[] = [
  { debian: 'amd64', node: 'x64' },
  { debian: 'arm64', node: 'arm64' },
];

export interface Metadata {
  readonly version: string;
  readonly architecture: string;
  /** What the files take on a disk. */
  readonly kibibytes: number;
}

/**
 * The control file. nginx is only suggested, because apt installs what is recommended, and a worker or a host of the steering agent must not
 * get a web server.
 */
export function controlText({ version, architecture, kibibytes }: Metadata): string {
  return `Package: tideline
Version: ${version}
Architecture: ${architecture}
Maintainer: The authors of Tideline <noreply@tideline.dev>
Section: net
Priority: optional
Installed-Size: ${kibibytes}
Depends: libc6 (>= 2.31), libgcc-s1, libstdc++6, systemd
Recommends: exabgp (>= 4.2), iproute2
Suggests: lua-cjson, libnginx-mod-http-lua, nginx-light | nginx
Description: Kubernetes traffic on servers of your own
 The agents of Tideline for a server: a worker announces the blocks of its pods by
 BGP, a blade serves the VIPs of its pool by nginx, a steering agent keeps DNS zones.
 Brings its own Node. Nothing is started before the server has been told what it is.
`;
}

/** `md5sums`, by which dpkg --verify knows a changed file. */
export function sumsText(sums: readonly (readonly [path: string, md5: string])[]): string {
  return sums.map(([path, md5]) => `${md5}  ${path}\n`).join('');
}
