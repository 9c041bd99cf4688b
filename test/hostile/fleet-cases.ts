import { join } from 'node:path';

/** Bad input to the commands of the fleet, for commands.test.ts. */

export interface Case {
  readonly words: readonly string[];
  /** A pattern that the message must match. */
  readonly says: RegExp;
}

export interface BadFiles {
  readonly spec: string;
  /** An empty folder but for files of no use. */
  readonly folder: string;
  /** A folder that is not there. */
  readonly out: string;
  readonly notYaml: string;
  readonly badSite: string;
}

export const fleetCases = ({ spec, folder, out, notYaml, badSite }: BadFiles): readonly Case[] => [
  { words: ['fleet', 'compile', spec], says: /required option '--out <folder>'/ },
  { words: ['fleet', 'compile', spec, '--out', out], says: /no Fleet in examples\/hybrid \(NoFleet\)/ },
  { words: ['fleet', 'compile', badSite, '--out', out], says: /spec\.type/ },
  { words: ['fleet', 'compile', 'examples/fleet', '--out', notYaml], says: /--out: .*\(FolderNotWritten\)/ },
  {
    words: ['fleet', 'compile', 'examples/fleet', '--out', out, '--signing-key', notYaml],
    says: /--signing-key: .*not\.yaml may be read by others.*\(SigningKeyUnfit\)/,
  },
  { words: ['fleet', 'import', spec], says: /no source of machines is named.*--csv FILE/s },
  {
    words: ['fleet', 'import', spec, '--csv', 'no-such.csv'],
    says: /--csv: no-such\.csv: ENOENT.*\(SourceUnreadable\)/,
  },
  { words: ['fleet', 'import', spec, '--csv', notYaml], says: /not\.yaml:1: no column has the names of servers/ },
  { words: ['fleet', 'import', spec, '--csv', notYaml, '--grains', notYaml], says: /cannot be used with option/ },
  { words: ['fleet', 'import', spec, '--grains', notYaml], says: /not\.yaml is no JSON \(SourceUnreadable\)/ },
  { words: ['fleet', 'import', spec, '--grains', '/dev/zero'], says: /is no regular file \(SourceUnreadable\)/ },
  { words: ['fleet', 'import', spec, '--netbox', 'netbox'], says: /Expected an address such as https:/ },
  { words: ['fleet', 'import', spec, '--netbox', 'http://127.0.0.1:1'], says: /there is no API token of NetBox/ },
  { words: ['fleet', 'import', spec, '--csv', notYaml, '--role', 'x=workr'], says: /did you mean "worker"/ },
  { words: ['fleet', 'import', spec, '--csv', notYaml, '--field', 'rak=x'], says: /did you mean "rack"/ },
  { words: ['fleet', 'import', spec, '--csv', notYaml, '--filter', 'role'], says: /Expected KEY=VALUE/ },
  { words: ['fleet', 'import', 'no-such-folder', '--csv', notYaml], says: /no-such-folder/ },
  { words: ['fleet', 'plan', spec, '--against', folder], says: /has no index\.json of ours.*\(FolderNotCompiled\)/ },
  { words: ['fleet', 'apply', 'all', spec, '--against', folder], says: /Expected the 16 characters/ },
  { words: ['fleet', 'apply', '0123456789abcdef', spec], says: /required option '--against <folder>'/ },
  {
    words: ['fleet', 'apply', '0123456789abcdef', spec, '--against', join(folder, 'none')],
    says: /has no index\.json of ours.*\(FolderNotCompiled\)/,
  },
  { words: ['fleet', 'check', spec], says: /required option '--against <folder>'/ },
  { words: ['fleet', 'check', spec, '--against', folder], says: /FolderNotCompiled/ },
  { words: ['fleet', 'status', spec], says: /required option '--against <folder>'/ },
  { words: ['fleet', 'status', spec, '--against', folder], says: /FolderNotCompiled/ },
  {
    words: ['fleet', 'status', spec, '--against', folder, '--ssh', '--salt-config', folder],
    says: /'--ssh' cannot be used with option '--salt-config <folder>'/,
  },
  { words: ['fleet', 'status', spec, '--against', folder, '--ssh'], says: /FolderNotCompiled/ },
  { words: ['fleet', 'add', 'worker-7', spec], says: /required option '--against <folder>'/ },
  { words: ['fleet', 'add', 'worker-7', spec, '--against', folder], says: /\(FolderNotCompiled\)/ },
  { words: ['fleet', 'remove', 'worker-7', spec, '--against', folder], says: /no Fleet in .*\(NoFleet\)/ },
  {
    words: ['fleet', 'replace', 'worker-7', spec, '--against', folder, '--plan', 'x'],
    says: /Expected the 16 characters/,
  },
  { words: ['fleet', 'upgrade', 'atlantis', spec, '--against', folder], says: /no Fleet makes the Cluster atlantis/ },
  { words: ['fleet', 'recover', 'paris', spec, '--against', folder], says: /nothing says what is lost/ },
  {
    words: ['fleet', 'recover', 'paris', spec, '--against', folder, '--snapshot', 'salt://a.db'],
    says: /--snapshot needs --sha256/,
  },
  { words: ['fleet', 'recover', 'paris', spec, '--against', folder, '--sha256', 'x'], says: /Expected a SHA-256/ },
  { words: ['fleet', 'sign', spec, '--out', out], says: /required option '--public-keys <path>'/ },
  {
    words: [
      'fleet',
      'sign',
      spec,
      '--out',
      out,
      '--public-keys',
      out,
      '--authorities',
      out,
      '--passphrase-file',
      notYaml,
    ],
    says: /others may read the passphrase.*\(PassphraseUnfit\)/,
  },
  { words: ['fleet', 'kubeconfig', 'paris', spec], says: /required option '--authorities <folder>'/ },
  {
    words: ['fleet', 'kubeconfig', 'x', spec, '--out', out, '--authorities', out, '--passphrase-file', notYaml],
    says: /no Fleet makes the Cluster x/,
  },
  {
    words: ['fleet', 'kubeconfig', 'paris', spec, '--hours', '1000'],
    says: /Expected a number of hours from 1 to 168/,
  },
  {
    words: ['fleet', 'rotate', 'paris', 'etcd', 'drop', '--authorities', out, '--passphrase-file', notYaml],
    says: /required option '--against <folder>'/,
  },
  {
    words: 'fleet rotate paris etcd forget --authorities OUT --passphrase-file FILE --against OUT'.split(' '),
    says: /nothing of etcd is kept.*\(RotationOrder\)/,
  },
  { words: ['fleet', 'rotate', 'paris', 'etcd', 'drop'], says: /required option '--authorities <folder>'/ },
  {
    words: [
      'fleet',
      'rotate',
      'paris',
      'ca',
      'drop',
      '--authorities',
      out,
      '--passphrase-file',
      notYaml,
      '--against',
      out,
    ],
    says: /Allowed choices are etcd, kubernetes, front-proxy/,
  },
  {
    words: [
      'fleet',
      'rotate',
      'paris',
      'etcd',
      'drop',
      '--authorities',
      out,
      '--passphrase-file',
      notYaml,
      '--against',
      out,
    ],
    says: /others may read the passphrase.*\(PassphraseUnfit\)/,
  },
];
