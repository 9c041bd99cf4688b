/** A BIRD router of the lab: eBGP to its neighbours, best paths into the kernel table of its namespace. IPv4. */
export interface RouterSpec {
  readonly routerId: string;
  readonly asn: number;
  readonly neighbors: readonly RouterNeighbor[];
  /** Prefixes that the router announces as its own, whatever routes the kernel has; they are not written into the kernel table. */
  readonly originate?: readonly string[];
  /** When true, which is the default, equal paths become one multipath kernel route. */
  readonly ecmp?: boolean;
}

export interface RouterNeighbor {
  /** The protocol's name in `show protocols`: letters, digits, underscores. */
  readonly name: string;
  readonly localAddress: string;
  readonly address: string;
  readonly asn: number;
  /**
   * The prefixes that may be imported; all others are denied. `{ prefix, longest }` allows the prefix and more specific ones up
   * to the length `longest` (default 32). `'all'` is for sessions between routers.
   */
  readonly accept: 'all' | readonly { readonly prefix: string; readonly longest?: number }[];
  /** The routes announced to the neighbour: by default `'all'` best paths; `'nothing'` for servers, which have a default route. */
  readonly announce?: 'all' | 'nothing';
  /** `import limit … action block`: routes beyond this number are not taken, and the session stays up. */
  readonly maxPrefixes?: number;
  /** The hold time; default 9. */
  readonly holdSeconds?: number;
}

/**
 * The whole bird.conf. The connect retry time is one second, so that the lab is up at once; BIRD helps neighbours restart
 * gracefully (its default).
 */
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
