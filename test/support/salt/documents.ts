import { createHash } from 'node:crypto';
import type {
  Component,
  ComponentName,
  InstalledArtifact,
  ServerDocument,
} from '../../../src/planes/fleet/compile/document.ts';

const root = { user: 'root', group: 'root' } as const;
export const folder = { ...root, mode: '0755' } as const;
export const file = { ...root, mode: '0644' } as const;

export function component(name: ComponentName, parts: Partial<Component> = {}): Component {
  return { name, artifacts: [], directories: {}, files: {}, units: {}, ...parts };
}

const unit = (program: string): string => `[Service]\nExecStart=${program}\n[Install]\nWantedBy=multi-user.target\n`;

/** What the texts of people may contain, and what templates, YAML and line ends of other systems could spoil. */
export const hostileTexts: Readonly<Record<string, string>> = {
  'jinja.conf': '{{ salt["cmd.run"]("touch /opt/taken") }}\n{% raise %}\n{# gone? #}\n{% raw %}\n',
  'yaml.conf': '- a: &x [1, *x]\n!!python/object:os.system {}\n"\' | > ? % @ `\n---\n...\n\ttab\n',
  'ends.conf': 'two spaces  \r\nline separator\u2028 form feed\f vertical\v next\u0085 end\rreturn',
  'empty.conf': '',
  'newlines.conf': '\n\n\nlast lines are empty\n\n\n',
  'unicode.conf': 'Zürich, 東京, 🌊, \u202eright to left, e\u0301\n',
};

interface SourceFile {
  readonly source: string;
  readonly bytes: string | Buffer;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/**
 * A server of etcd, with everything that the formulas can do but what needs a kernel or a disk. `program` is where its artifact comes
 * from, `archive` where an archive of programs does.
 */
export function etcdServer(program: SourceFile, archive?: SourceFile): ServerDocument {
  const artifact: InstalledArtifact = {
    version: '3.6.8',
    source: program.source,
    sha256: sha256(program.bytes),
    package: 'file',
    path: '/opt/tideline-fleet/etcd/3.6.8/etcd',
    link: '/usr/local/bin/etcd',
  };
  const own = { user: 'tideline-etcd', group: 'tideline-etcd' } as const;
  const texts = Object.entries(hostileTexts).map(([name, text]) => [`/etc/tideline-etcd/${name}`, { ...file, text }]);
  return {
    format: 1,
    server: { id: 'ams1-etcd-1', site: 'ams1', rack: 'r1', cluster: 'ams', roles: ['etcd'], addresses: ['192.0.2.11'] },
    system: {
      packages: ['openssl'],
      held: {},
      modules: [],
      sysctl: {},
      hosts: { '192.0.2.11': ['ams1-etcd-1'], '2001:db8::12': ['ams1-etcd-2', 'etcd-2.example'] },
      users: { 'tideline-etcd': { home: '/var/lib/tideline-etcd' } },
      mounts: {},
    },
    artifacts: { etcd: artifact, ...(archive === undefined ? {} : { 'cni-plugins': archiveOf(archive) }) },
    pki: {
      keys: {
        '/etc/tideline-etcd/pki/server.key': { ...own, mode: '0600', algorithm: 'ec-p256' },
        '/etc/tideline-etcd/pki/old tools.key': { ...own, mode: '0600', algorithm: 'rsa-2048' },
      },
      certificates: {
        '/etc/tideline-etcd/pki/server.crt': {
          ...file,
          key: '/etc/tideline-etcd/pki/server.key',
          authority: 'etcd',
          pem: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
        },
        '/etc/tideline-etcd/pki/unsigned.crt': {
          ...file,
          key: '/etc/tideline-etcd/pki/old tools.key',
          authority: 'etcd',
        },
      },
      authorities: { '/etc/tideline-etcd/pki/ca.crt': { ...file, authority: 'etcd', pem: 'one\ntwo\n' } },
      secrets: { '/etc/tideline-etcd/pki/token': { ...own, mode: '0600', secret: 'etcd-token' } },
    },
    components: [
      component('common'),
      component('pki', {
        directories: {
          '/etc/tideline-etcd': folder,
          '/etc/tideline-etcd/pki': { ...own, mode: '0750' },
        },
      }),
      component('etcd', {
        artifacts: ['etcd'],
        directories: { '/var/lib/tideline-etcd': { ...own, mode: '0700' } },
        files: {
          ...Object.fromEntries(texts),
          '/etc/tideline-etcd/cluster.env': { ...own, mode: '0640', text: 'ETCD_NAME=ams1-etcd-1\n' },
        },
        units: {
          'etcd.service': {
            text: unit('/usr/local/bin/etcd'),
            running: true,
            watches: [
              'etcd',
              '/etc/tideline-etcd/cluster.env',
              '/etc/tideline-etcd/pki/server.crt',
              '/etc/tideline-etcd/pki/server.key',
              '/etc/tideline-etcd/pki/ca.crt',
              '/etc/tideline-etcd/pki/token',
            ],
            onChange: 'orchestrated',
          },
          'etcd-snapshot.timer': {
            text: '[Timer]\nOnCalendar=hourly\n',
            running: true,
            watches: ['/etc/tideline-etcd/yaml.conf'],
            onChange: 'restart',
          },
          'etcd-snapshot.service': { text: unit('/bin/true'), running: false, watches: [], onChange: 'restart' },
        },
      }),
      component('exabgp', {
        files: { '/etc/tideline-etcd/exabgp.conf': { ...file, text: 'neighbor 192.0.2.1 {}\n' } },
        units: {
          'exabgp.service': {
            text: unit('/usr/sbin/exabgp'),
            running: true,
            watches: ['/etc/tideline-etcd/exabgp.conf'],
            onChange: 'reload',
          },
        },
      }),
    ],
  };
}

function archiveOf({ source, bytes }: SourceFile): InstalledArtifact {
  const path = '/opt/tideline-fleet/cni-plugins/1.6.2 and more';
  return { version: '1.6.2', source, sha256: sha256(bytes), package: 'tar', path, link: '/opt/cni/bin' };
}
