/**
 * The server that a kubeconfig names, how it is trusted, and our client certificate. It holds no credentials but that
 * certificate's facts.
 */
export interface Target {
  /** The path of the kubeconfig as the person named it, for fixes. */
  readonly file: string;
  readonly context: string;
  /** The names of the cluster and of the user inside the kubeconfig. */
  readonly cluster: string;
  readonly user: string;
  /** `https://host:port`, without a path. */
  readonly server: string;
  readonly host: string;
  readonly port: number;
  /** The PEM of the authorities; when absent, the system's authorities count. */
  readonly authority?: string | undefined;
  /** The server name for TLS, when it is not the host. */
  readonly serverName?: string | undefined;
  readonly insecure: boolean;
  /** The proxy through which connections go; the probes do not look behind it. */
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

/** The result of probing one address behind the server's name. A step that was not reached is absent. */
export interface AddressFacts {
  readonly address: string;
  /** `ok`, `timeout`, or the error code of the system (`ECONNREFUSED`, ...). */
  readonly tcp: string;
  readonly tls?: TlsFacts;
  readonly http?: HttpFacts;
}

export interface TlsFacts {
  /** `ok` when the certificate is verified, else the error code of OpenSSL or Node. */
  readonly verdict: string;
  readonly message?: string;
  /** The server's own certificate first; empty when the handshake broke. */
  readonly chain: readonly CertificateFacts[];
  /** The subject alternative names of the server's certificate. */
  readonly names: readonly string[];
}

export interface HttpFacts {
  /** The answer to `/version`, when an anonymous client may see it. */
  readonly version?: VersionFacts;
  /** The answer to `/readyz?verbose`, when an anonymous client may see it. */
  readonly ready?: { readonly ok: boolean; readonly lines: readonly string[] };
  /** The bounds of the server's clock minus ours. */
  readonly clock?: { readonly lowMs: number; readonly highMs: number };
}

export interface VersionFacts {
  readonly gitVersion: string;
  readonly major: string;
  readonly minor: string;
}

export interface ProbeFacts {
  /** The error code of the resolver, or `timeout`. */
  readonly nameError?: string;
  readonly addresses: readonly AddressFacts[];
}
