/** Renders systemd units. Every unit of the fleet comes from here, so that none lacks the sandbox by accident. */

export interface ServiceOptions {
  readonly description: string;
  /** Units that start before this one; the order only. */
  readonly after?: readonly string[];
  readonly type?: 'notify' | 'exec' | 'oneshot';
  /** Absent: root. */
  readonly user?: string;
  /** The program, and its flags, each on a line of its own. */
  readonly command: readonly [string, ...string[]];
  readonly environmentFiles?: readonly string[];
  /** Folders that it may write beside those that systemd makes for it. */
  readonly writes?: readonly string[];
  /** What it may do beyond its user's rights; absent: nothing. */
  readonly capabilities?: readonly string[];
  /** How long a stop may take. Longer than the time in which the program says farewell. */
  readonly stopSeconds?: number;
  /** Families of sockets beside IPv4, IPv6 and Unix. */
  readonly families?: readonly string[];
  /** Lines of [Service] that only this one has. */
  readonly lines?: readonly string[];
  /**
   * `mounts`: the program mounts filesystems that others must see, so it lives in the mounts of the host, and what systemd hides by
   * mounts of its own is left out. Such a program is root in every sense.
   */
  readonly sandbox?: 'whole' | 'mounts';
  /** Lines of [Install]; absent: it starts at boot. */
  readonly wantedBy?: string | false;
}

export function service(options: ServiceOptions): string {
  const { type = 'exec', after = [], command, wantedBy = 'multi-user.target' } = options;
  const lasting = type !== 'oneshot';
  return [
    '[Unit]',
    `Description=${options.description}`,
    'Wants=network-online.target',
    `After=${['network-online.target', ...after].join(' ')}`,
    ...(lasting ? ['StartLimitIntervalSec=0'] : []),
    '',
    '[Service]',
    `Type=${type}`,
    ...(options.user === undefined ? [] : [`User=${options.user}`, `Group=${options.user}`]),
    ...(options.environmentFiles ?? []).map((file) => `EnvironmentFile=${file}`),
    `ExecStart=${command.join(' \\\n  ')}`,
    ...(lasting ? ['Restart=always', 'RestartSec=2', `TimeoutStopSec=${options.stopSeconds ?? 20}`] : []),
    ...(options.lines ?? []),
    ...(options.sandbox === 'mounts' ? hostMounts : wholeSandbox(options)),
    ...(wantedBy === false ? [] : ['', '[Install]', `WantedBy=${wantedBy}`]),
    '',
  ].join('\n');
}

/** A timer that starts the service of its own name every so many hours, each server at another minute. */
export function timer(description: string, everyHours: number): string {
  return `[Unit]
Description=${description}

[Timer]
OnBootSec=15min
OnUnitActiveSec=${everyHours}h
RandomizedDelaySec=15min
FixedRandomDelay=yes

[Install]
WantedBy=timers.target
`;
}

/** What neither hides a mount from the host nor is handed down to the containers that the program starts. */
const hostMounts = ['LimitNOFILE=1048576', 'OOMScoreAdjust=-999'];

function wholeSandbox(options: ServiceOptions): readonly string[] {
  const capabilities = (options.capabilities ?? []).join(' ');
  const families = ['AF_UNIX', 'AF_INET', 'AF_INET6', ...(options.families ?? [])];
  return [
    'LimitNOFILE=65536',
    `CapabilityBoundingSet=${capabilities}`,
    ...(capabilities === '' || options.user === undefined ? [] : [`AmbientCapabilities=${capabilities}`]),
    `RestrictAddressFamilies=${families.join(' ')}`,
    ...(options.writes === undefined ? [] : [`ReadWritePaths=${options.writes.join(' ')}`]),
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    'KeyringMode=private',
    'UMask=0077',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
  ].filter((line) => options.lines?.some((own) => own.split('=')[0] === line.split('=')[0]) !== true);
}
