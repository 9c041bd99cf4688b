import type { ServerRole } from '../../../model/spec/kinds/server.ts';

/**
 * What one server is to be, as JSON: the pillar that the formulas in `salt/` read under the key `tideline`. Everything is computed
 * here; a formula loops over these maps and calculates nothing. Keys of maps are sorted, so that equal servers have equal bytes.
 */
export interface ServerDocument {
  /** The form of this document; a formula refuses another one. */
  readonly format: 1;
  readonly server: DocumentServer;
  readonly system: System;
  /** Files to download, by name of the artifact; only those that a component of this server needs. */
  readonly artifacts: Readonly<Record<string, InstalledArtifact>>;
  readonly pki: ServerPki;
  /** In the order in which they are set up; each with everything that belongs to it. */
  readonly components: readonly Component[];
}

export interface DocumentServer {
  /** Host name, Node name and minion id. */
  readonly id: string;
  readonly site: string;
  readonly rack: string;
  readonly cluster: string;
  readonly roles: readonly ServerRole[];
  readonly addresses: readonly string[];
}

/** What concerns the whole machine. */
export interface System {
  /** Names of Debian packages. */
  readonly packages: readonly string[];
  /** Of these, the ones that stay at a version: package → version. */
  readonly held: Readonly<Record<string, string>>;
  readonly modules: readonly string[];
  /** Kernel parameters by name. */
  readonly sysctl: Readonly<Record<string, string>>;
  /** Lines of /etc/hosts: address → names. */
  readonly hosts: Readonly<Record<string, readonly string[]>>;
  /** Users and groups that components run as, each with a group of its own name; none can log in. */
  readonly users: Readonly<Record<string, { readonly home: string }>>;
  /** Disks with a filesystem of their own: mount point → device. */
  readonly mounts: Readonly<Record<string, { readonly device: string; readonly filesystem: 'ext4' | 'xfs' }>>;
}

export interface InstalledArtifact {
  readonly version: string;
  /** A URL or `salt://…`. */
  readonly source: string;
  readonly sha256: string;
  readonly package: 'file' | 'tar' | 'deb';
  /** Where the program, or the programs of the archive, go; a version is part of it, so that two can be there. Absent for `deb`. */
  readonly path?: string;
  /** A name that leads to the version in use, e.g. /usr/local/bin/kubelet. Absent for `deb`. */
  readonly link?: string;
}

/** Keys are made on the server and never leave it; certificates come back signed, by a plan that the server cannot change. */
export interface ServerPki {
  /** Private keys by path. */
  readonly keys: Readonly<Record<string, FileAccess & { readonly algorithm: 'ec-p256' | 'rsa-2048' }>>;
  /** Certificates by path. `pem` is absent until the certificate is signed. */
  readonly certificates: Readonly<
    Record<string, FileAccess & { readonly key: string; readonly authority: string; readonly pem?: string }>
  >;
  /** Certificates of authorities by path: one, or during a change of the authority the old and the new. */
  readonly authorities: Readonly<Record<string, FileAccess & { readonly authority: string; readonly pem?: string }>>;
  /** Public and secret values that are the same on several servers, by path: what is to stand there comes by `secret`, never in this document. */
  readonly secrets: Readonly<Record<string, FileAccess & { readonly secret: string }>>;
}

export interface FileAccess {
  readonly user: string;
  readonly group: string;
  /** Four octal digits, e.g. `0600`. */
  readonly mode: string;
}

export const componentNames = [
  'common',
  'pki',
  'containerd',
  'cni',
  'gpu',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'felix',
  'exabgp',
  'network-agent',
  'edge',
  'monitoring',
] as const;
export type ComponentName = (typeof componentNames)[number];

/** One program of a server: its folders, its files, its units. */
export interface Component {
  readonly name: ComponentName;
  /** Names in `artifacts`. */
  readonly artifacts: readonly string[];
  readonly directories: Readonly<Record<string, FileAccess>>;
  readonly files: Readonly<Record<string, DocumentFile>>;
  /** systemd units by name, e.g. `etcd.service`. */
  readonly units: Readonly<Record<string, Unit>>;
}

/** A file with the text that it must have, byte for byte. */
export interface DocumentFile extends FileAccess {
  readonly text: string;
}

export interface Unit {
  /** The text of /etc/systemd/system/<name>. */
  readonly text: string;
  /** Whether it runs and starts at boot. A timer's service has `false`. */
  readonly running: boolean;
  /** Files, certificates, keys and artifacts (by path or name) whose change asks for a restart or a reload. */
  readonly watches: readonly string[];
  /**
   * What a change of these asks for: `restart` and `reload` are done by the formula at once; `orchestrated` is left to the wave,
   * because the next server must not follow before this one is well (etcd, kube-apiserver).
   */
  readonly onChange: 'restart' | 'reload' | 'orchestrated';
}
