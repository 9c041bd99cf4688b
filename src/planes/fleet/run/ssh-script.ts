import type { InstalledArtifact, ServerDocument } from '../compile/document.ts';

/** What a server is sent by ssh: a script for `sh` that brings everything, runs `salt-call --local` once, and leaves nothing secret behind. */

/** A file as it is to lie in the folder of one call. */
export interface SentFile {
  readonly path: string;
  readonly content: Buffer;
}

export interface Script {
  readonly server: string;
  readonly files: readonly SentFile[];
  /** Files that Salt had on its file server, which must be there before anything is done. */
  readonly needs: readonly NeededFile[];
  /** The function and its arguments. */
  readonly words: readonly string[];
  /** Whether it changes nothing: everything else waits until the one before it has ended. */
  readonly reads: boolean;
}

/** A file that a document names by `salt://`. */
export interface NeededFile {
  readonly path: string;
  readonly sha256: string;
  /** Where the server may have it already. */
  readonly installed?: string;
  /** For an archive: the folder that it was unpacked into. Where that is whole the file is not needed. */
  readonly unpacked?: string;
  /** Sums of the files of the archive. */
  readonly sums?: string;
}

/** Where files for the file server are kept on a server; they hold no secret. */
export const keptFolder = '/var/cache/tideline/ssh';
const begun = 'tideline-ssh begun';
const ended = 'tideline-ssh ended';
const lacks = 'tideline-ssh lacks ';
/** As long as one step may take: what runs there before has ended by then. */
const waitSeconds = 3600;

const fileServer = 'salt://';

export function neededBy(document: ServerDocument | undefined): readonly NeededFile[] {
  return Object.entries(document?.artifacts ?? {}).flatMap(([name, artifact]) =>
    artifact.source.startsWith(fileServer) ? [neededFor(name, artifact)] : [],
  );
}

function neededFor(name: string, artifact: InstalledArtifact): NeededFile {
  const { source, sha256, version, package: form, path = '' } = artifact;
  const needed = { path: source.slice(fileServer.length), sha256 };
  if (form === 'deb') return { ...needed, installed: `/var/cache/tideline/${name}-${version}.deb` };
  if (form === 'file') return { ...needed, installed: path };
  return { ...needed, unpacked: path, sums: `/opt/tideline-fleet/sums/${name}-${sha256}` };
}

/** Nothing of it runs before all of it has arrived, because a shell reads the whole function first. */
export function scriptOf({ server, files, needs, words, reads }: Script): string {
  return `main() {
set -eu
umask 077
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/saltstack/salt
echo '${begun}'
command -v salt-call >/dev/null || { echo 'there is no salt-call' >&2; echo '${ended}'; exit 0; }
mkdir -p ${keptFolder}/files
${reads ? '' : `exec 9>/run/tideline-ssh.lock\nflock -w ${waitSeconds} 9 || { echo 'another call has not ended' >&2; echo '${ended}'; exit 0; }\n`}${needs.length === 0 ? '' : needsText(needs)}work=$(mktemp -d /run/tideline-ssh.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
${files.map(fileText).join('')}key=
[ ! -e ${operatorKey} ] || key='"public_key": "${operatorKey}", '
cat >"$work/minion" <<END
${minionText(server)}
END
umask 022
salt-call --local --config-dir="$work" --out=json --log-level=error ${words.map(quoted).join(' ')} </dev/null || :
echo
echo '${ended}'
}
main
`;
}

/** The public key of the operator: where a server has it, a document that has no signature by it is refused there. */
const operatorKey = '/etc/tideline/operator.pem';

function minionText(server: string): string {
  const settings = {
    id: server,
    file_client: 'local',
    // The jobs of one call are seen by the next: Salt refuses states beside states.
    cachedir: `${keptFolder}/cache`,
    pki_dir: '$work/pki',
    sock_dir: '$work/sock',
    log_file: '/dev/null',
    file_roots: { base: ['$work/formulas', `${keptFolder}/files`] },
    module_dirs: ['$work', '$work/formulas'],
    // It is no service that would end with the one that it restarts.
    'systemd.scope': false,
    metadata_server_grains: false,
    enable_fqdns_grains: false,
  };
  const pillar = `"ext_pillar": [{"tideline": {\${key}"folder": "$work/documents", "secrets": "$work/secrets"}}]`;
  return `${JSON.stringify(settings).slice(0, -1)}, ${pillar}}`;
}

/** Files that the server has are linked to where Salt looks for them; the others are named, and nothing else is done. */
function needsText(needs: readonly NeededFile[]): string {
  const checks = needs.map(
    ({ path, sha256, installed = '', unpacked = '', sums = '' }) =>
      `need ${[path, sha256, installed, unpacked, sums].map(quoted).join(' ')}\n`,
  );
  return `is() { [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]; }
lacking=
need() {
  kept="${keptFolder}/files/$1"
  if is "$kept" "$2"; then return; fi
  if [ -n "$3" ] && is "$3" "$2"; then
    mkdir -p "$(dirname "$kept")"
    ln -f "$3" "$kept" 2>/dev/null || cp "$3" "$kept"
    return
  fi
  if [ -n "$5" ] && [ -e "$5" ] && (cd "$4" && { [ ! -s "$5" ] || sha256sum --status --check "$5"; }) 2>/dev/null; then return; fi
  echo "${lacks}$1"
  lacking=yes
}
${checks.join('')}if [ -n "$lacking" ]; then echo '${ended}'; exit 0; fi
`;
}

/** A file for the file server, from the standard input: whole, or not at all. */
export function receiveText({ path, sha256 }: NeededFile): string {
  const kept = quoted(`${keptFolder}/files/${path}`);
  return [
    `echo '${begun}'`,
    'set -eu',
    'umask 077',
    `mkdir -p "$(dirname ${kept})"`,
    `cat >${kept}.part`,
    `[ "$(sha256sum <${kept}.part)" = "${sha256}  -" ]`,
    `mv ${kept}.part ${kept}`,
    `echo '${ended}'`,
  ].join('; ');
}

function fileText({ path, content }: SentFile): string {
  const lines = content.toString('base64').replaceAll(/.{1,120}/g, '$&\n');
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  return `mkdir -p "$work/"${quoted(folder)}\nbase64 -d >"$work/"${quoted(path)} <<'END'\n${lines}END\n`;
}

/** What the server printed: what it lacks, or the text of salt-call; undefined where it did not come to the end. */
export function printedBy(stdout: string): {
  readonly reached: boolean;
  readonly answer?: { readonly lacks: readonly string[]; readonly text: string };
} {
  const lines = stdout.split('\n');
  const from = lines.lastIndexOf(begun);
  const to = lines.lastIndexOf(ended);
  if (to === -1 || to < from) return { reached: from !== -1 };
  const said = lines.slice(from + 1, to);
  const lacking = said.filter((line) => line.startsWith(lacks)).map((line) => line.slice(lacks.length));
  return { reached: true, answer: { lacks: lacking, text: lacking.length > 0 ? '' : said.join('\n') } };
}

export const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
