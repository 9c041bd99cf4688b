/** A kubeconfig's answer to: which server, trusted by what, shown which certificate. Credentials other than that are not in it. */
export interface Target {
  /** As the person named it, for fixes. */
  readonly file: string;
  readonly context: string;
  /** Names inside the kubeconfig. */
  readonly cluster: string;
  readonly user: string;
  /** `https://host:port`, without a path. */
  readonly server: string;
  readonly host: string;
  readonly port: number;
  /** PEM of the authorities; absent: the system's. */
  readonly authority?: string | undefined;
  /** The name to ask for and to verify, when it is not the host. */
  readonly serverName?: string | undefined;
  readonly insecure: boolean;
  /** Connections go through it; the probes do not look behind it. */
  readonly proxy?: string | undefined;
  readonly clientCertificate?: CertificateFacts | undefined;
}

/** Times are milliseconds since the epoch. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What one address behind the server's name did. A step that was not reached is absent. */
export interface AddressFacts {
  readonly address: string;
  /** `ok`, or the error code of the system (`ECONNREFUSED`, ...), `timeout`. */
  readonly tcp: string;
  readonly tls?: TlsFacts;
  readonly http?: HttpFacts;
}

export interface TlsFacts {
  /** `ok`: verified; else OpenSSL's or Node's code of what is wrong. */
  readonly verdict: string;
  readonly message?: string;
  /** The server's own certificate first; empty when the handshake broke. */
  readonly chain: readonly CertificateFacts[];
  /** Subject alternative names of the server's certificate. */
  readonly names: readonly string[];
}

export interface HttpFacts {
  /** `/version`, when an anonymous client may see it. */
  readonly version?: VersionFacts;
  /** `/readyz?verbose`, alike. */
  readonly ready?: { readonly ok: boolean; readonly lines: readonly string[] };
  /** Server's clock minus ours: somewhere between these. */
  readonly clock?: { readonly lowMs: number; readonly highMs: number };
}

export interface VersionFacts {
  readonly gitVersion: string;
  readonly major: string;
  readonly minor: string;
}

export interface ProbeFacts {
  /** Error code of the resolver, or `timeout`. */
  readonly nameError?: string;
  readonly addresses: readonly AddressFacts[];
}
