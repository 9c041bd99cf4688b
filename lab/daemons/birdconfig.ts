/** A BIRD router of the lab: eBGP to its neighbours, best paths into the kernel table of its namespace. IPv4. */
export interface RouterSpec {
  readonly routerId: string;
  readonly asn: number;
  readonly neighbors: readonly RouterNeighbor[];
  /** Prefixes announced as our own whatever the kernel says, and not written into the kernel table. */
  readonly originate?: readonly string[];
  /** Default true: equal paths become one multipath kernel route. */
  readonly ecmp?: boolean;
}

export interface RouterNeighbor {
  /** Name of the protocol, as `show protocols` has it: letters, digits, underscores. */
  readonly name: string;
  readonly localAddress: string;
  readonly address: string;
  readonly asn: number;
  /**
   * What may be imported, default deny: `{ prefix, longest }` allows the prefix and more specific ones up to `longest`
   * (default: 32). `'all'` is for routers among themselves.
   */
  readonly accept: 'all' | readonly { readonly prefix: string; readonly longest?: number }[];
  /** What is announced to it, default `'all'` our best paths; `'nothing'` for servers, which have a default route. */
  readonly announce?: 'all' | 'nothing';
  /** `import limit … action block`: more routes than this are not taken, the session stays. */
  readonly maxPrefixes?: number;
  /** Default 9. */
  readonly holdSeconds?: number;
}

/** The whole bird.conf. Connect retry is one second so that the lab is up at once; helper for graceful restart is on (BIRD's default). */
export function renderRouter(spec: RouterSpec): string {
  const originate = spec.originate ?? [];
  const parts = [
    'log stderr all;',
    `router id ${spec.routerId};`,
    'protocol device { scan time 5; }',
    kernelProtocol(spec.ecmp ?? true),
    ...(originate.length === 0 ? [] : [staticProtocol(originate)]),
    ...spec.neighbors.map((neighbor) => bgpProtocol(spec.asn, neighbor)),
  ];
  return `${parts.join('\n')}\n`;
}

function kernelProtocol(ecmp: boolean): string {
  return `protocol kernel kernel4 {
  ipv4 { import none; export where source = RTS_BGP; };
  scan time 10;${ecmp ? '\n  merge paths on;' : ''}
}`;
}

function staticProtocol(prefixes: readonly string[]): string {
  return `protocol static originated {
  ipv4;
${prefixes.map((prefix) => `  route ${prefix} unreachable;`).join('\n')}
}`;
}

function bgpProtocol(asn: number, neighbor: RouterNeighbor): string {
  const hold = neighbor.holdSeconds ?? 9;
  const limit = neighbor.maxPrefixes === undefined ? '' : `\n    import limit ${neighbor.maxPrefixes} action block;`;
  return `protocol bgp ${neighbor.name} {
  local ${neighbor.localAddress} as ${asn};
  neighbor ${neighbor.address} as ${neighbor.asn};
  hold time ${hold};
  keepalive time ${Math.max(1, Math.floor(hold / 3))};
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  ipv4 {
    import ${importFilter(neighbor)};${limit}
    export ${(neighbor.announce ?? 'all') === 'all' ? 'where source ~ [ RTS_BGP, RTS_STATIC ]' : 'none'};
  };
}`;
}

function importFilter(neighbor: RouterNeighbor): string {
  if (neighbor.accept === 'all') return 'all';
  if (neighbor.accept.length === 0) return 'none';
  const patterns = neighbor.accept.map(({ prefix, longest }) => {
    const length = Number(prefix.slice(prefix.indexOf('/') + 1));
    return `${prefix}{${length},${longest ?? 32}}`;
  });
  return `where net ~ [ ${patterns.join(', ')} ]`;
}
