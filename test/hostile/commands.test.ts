import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Case, fleetCases } from './fleet-cases.ts';
import { scalingCases } from './scaling-cases.ts';

/**
 * Bad input to every command gives exit code 2, a message that names what is wrong, and no stack trace, and has no effect. A
 * command without a case here fails the last test.
 */
const folder = mkdtempSync(join(tmpdir(), 'tideline-bad-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const notYaml = file('not.yaml', 'kind: [Site\n');
const badSite = file(
  'site.yaml',
  'apiVersion: tideline.dev/v1alpha1\nkind: Site\nmetadata: { name: paris }\nspec: { type: moon }\n',
);
const hugeDemand = file(
  'huge.json',
  '{"measuredAt":"2026-11-27T20:00:00Z","requestsPerSecond":{"FR":1e308,"JP":1e308}}',
);
const futureDemand = file('future.json', '{"measuredAt":"2126-11-27T20:00:00Z","requestsPerSecond":{"FR":1}}');
const oddDemand = file('demand.json', '{"measuredAt":"2026-11-27T20:00:00Z","requestsPerSecond":{"XX":1}}');
const someDemand = file('some.json', `{"measuredAt":"${new Date().toISOString()}","requestsPerSecond":{"FR":1}}`);
const badMaster = file('bad.zone', '$TTL 60\nwww A 192.0.2.10\nx TXT ( "a"\n');
const including = file('including.zone', '$TTL 60\n$INCLUDE /etc/passwd\n');
const spec = 'examples/hybrid';
const out = join(folder, 'out');
const notTls = ['--tls-cert', notYaml, '--tls-key', notYaml, '--tls-ca', notYaml];
const newSite = ['new-site', 'rome', spec, '--country', 'IT'];
const noState = ['--state', join(folder, 'no-lab')];

const cases: readonly Case[] = [
  { words: ['nonsense'], says: /unknown command 'nonsense'/ },
  { words: ['check'], says: /missing required argument/ },
  { words: ['check', 'no-such-file.yaml'], says: /no-such-file\.yaml/ },
  { words: ['check', notYaml], says: /not\.yaml:\d+/ },
  { words: ['check', badSite], says: /site\.yaml:4: Site\/paris spec\.type/ },
  { words: ['check', '--hosts', badSite], says: /site\.yaml:4: Site\/paris spec\.type/ },
  { words: ['check', '--hosts', spec, ...notTls], says: /not\.yaml holds no certificate.*\(TlsFilesUnusable\)/ },
  {
    words: ['steering', 'plan', spec, '--tls-cert', notYaml],
    says: /--tls-key and --tls-ca are missing \(OptionAlone\)/,
  },
  { words: ['steering', 'map', 'www.videos.example', spec], says: /no policy answers for www\.videos\.example/ },
  {
    words: ['steering', 'map', 'www.video.example', spec, '--if', 'Cluster/pariss=down'],
    says: /did you mean "paris"/,
  },
  { words: ['steering', 'map', 'www.video.example', spec, '--if', 'Blade/b1=down'], says: /Site or Cluster/ },
  {
    words: ['steering', 'map', 'www.video.example', spec, '--if', 'Cluster/paris=down', '--now'],
    says: /--now.* cannot be used with .*--if/,
  },
  {
    words: ['steering', 'map', 'www.video.example', spec, '--svg', join(folder, 'none', 'x.svg')],
    says: /FileNotWritten/,
  },
  { words: ['steering', 'import', 'no-such.yaml', spec], says: /ZoneFileUnreadable/ },
  { words: ['steering', 'import', notYaml, spec], says: /not\.yaml:\d+: .*\(ZoneFileUnreadable\)/ },
  { words: ['steering', 'import', spec], says: /the platform spec is missing/ },
  {
    words: ['steering', 'import', badMaster, spec],
    says: /bad\.zone:3: .*a parenthesis does not end \(ZoneFileUnreadable\)/,
  },
  { words: ['steering', 'import', including, spec], says: /\$INCLUDE is not read: write its records into the file/ },
  { words: ['steering', 'import', notYaml, spec, '--format', 'bind'], says: /not\.yaml:1: .*ZoneFileUnreadable/ },
  {
    words: ['steering', 'import', '--route53-zone', 'video.example', '--route53-endpoint', 'nowhere', spec],
    says: /Expected http:\/\/host:port/,
  },
  {
    words: ['steering', 'export', spec, '--zone', 'nowhere.example'],
    says: /use --zone with one of: .*\(NoPolicy\)|NoPolicy/,
  },
  { words: ['steering', 'export', spec, '--out', join(folder, 'none', 'zone.yaml')], says: /FileNotWritten/ },
  ...fleetCases({ spec, folder, out, notYaml, badSite }),
  ...scalingCases({ spec, notYaml, badSite, demand: someDemand, futureDemand }),
  { words: ['completion', 'tcsh'], says: /Allowed choices are zsh, bash, fish, powershell/ },
  { words: ['status'], says: /missing required argument/ },
  { words: ['status', badSite], says: /spec\.type/ },
  { words: ['status', spec, '--steering', 'here'], says: /expected host:port/ },
  { words: ['status', spec, '--name-server', 'ns1.example'], says: /Expected ADDRESS/ },
  { words: ['status', spec, '--tls-cert', notYaml], says: /--tls-key and --tls-ca are missing \(OptionAlone\)/ },
  { words: ['status', spec, '--tls-mode', 'grace'], says: /all of --tls-cert, --tls-key and --tls-ca/ },
  { words: ['drains', spec, ...notTls], says: /not\.yaml holds no certificate.*\(TlsFilesUnusable\)/ },
  { words: ['thaw', spec, ...notTls], says: /TlsFilesUnusable/ },
  { words: ['new-site', 'rome', spec, '--like', 'paris'], says: /--country/ },
  { words: [...newSite, '--like', 'paris', '--at', 'north'], says: /degrees north and east/ },
  { words: [...newSite, '--like', 'pariss', '--at', '41.9,12.5'], says: /did you mean "paris"/ },
  { words: [...newSite, '--like', 'paris', '--at', '41.9,12.5', '--pods', '10.3.0.1/24'], says: /without host bits/ },
  { words: ['drain', 'rack', 'r1', spec, '--for', '1h', '--reason', 'x'], says: /site, cluster, blade or worker/ },
  { words: ['drain', 'site', 'pariss', spec, '--for', '1h', '--reason', 'x'], says: /did you mean "paris"/ },
  { words: ['drain', 'site', 'paris', spec, '--for', 'soon', '--reason', 'x'], says: /30m, 2h or 1d12h/ },
  { words: ['drain', 'site', 'paris', spec, '--for', '1h'], says: /--reason/ },
  { words: ['drain', 'site', 'paris', badSite, '--for', '1h', '--reason', 'x'], says: /spec\.type/ },
  { words: ['drain', 'site', 'paris', spec, '--for', '1h', '--reason', 'x', '--wait'], says: /--wait goes with --yes/ },
  { words: ['drain', 'site', 'paris', spec, '--for', '1h', '--reason', 'x', '--steering', 'here'], says: /host:port/ },
  {
    words: ['drain', 'site', 'paris', spec, '--for', '1h', '--reason', 'x', '--to-api'],
    says: /a site may serve several clusters/,
  },
  {
    words: ['drain', 'cluster', 'paris', spec, '--for', '1h', '--reason', 'x', '--to-api'],
    says: /it names no kubeconfig/,
  },
  { words: ['undrain', 'site', 'pariss', spec], says: /did you mean "paris"/ },
  { words: ['drains'], says: /missing required argument/ },
  { words: ['drains', badSite], says: /spec\.type/ },
  { words: ['drains', spec, '--steering', 'here'], says: /expected host:port/ },
  { words: ['freeze', spec], says: /--reason/ },
  { words: ['freeze', '--reason', 'x'], says: /missing required argument/ },
  { words: ['freeze', spec, '--reason', 'x', '--for', 'soon'], says: /30m, 2h or 1d12h/ },
  { words: ['freeze', badSite, '--reason', 'x'], says: /spec\.type/ },
  { words: ['thaw', badSite], says: /spec\.type/ },
  { words: ['history', badSite], says: /spec\.type/ },
  { words: ['history', '--since', 'yesterday'], says: /30m, 2h or 1d12h/ },
  { words: ['history', spec, '--country', 'France'], says: /did you mean "FR"/ },
  { words: ['history', '--country', 'FR'], says: /need the platform spec/ },
  { words: ['history', spec, '--host', 'nobody.example'], says: /nobody\.example/ },
  { words: ['accept', 'pariss'], says: /UnknownFingerprint/ },
  { words: ['accept', '--yes'], says: /--yes goes with a fingerprint/ },
  { words: ['accept', '0123456789ab', spec, '--yes'], says: /accepted on the server that has it/ },
  { words: ['accept', badSite], says: /spec\.type/ },
  { words: ['accept', '--agent', 'here'], says: /expected host:port/ },
  { words: ['why', 'host', 'www.video.example'], says: /missing required argument/ },
  { words: ['why', 'host', 'no host', spec], says: /no host is no host name/ },
  { words: ['why', 'host', 'www.video.example', spec, '--path', 'x'], says: /--path: x is no path/ },
  { words: ['why', 'host', 'www.video.example', badSite], says: /spec\.type/ },
  { words: ['why', 'country', 'UK', spec], says: /did you mean "GB"/ },
  { words: ['why', 'country', 'FR', spec, '--host', 'nobody.example'], says: /nobody\.example/ },
  { words: ['why', 'country', 'FR', spec, '--name-server', 'ns1.example'], says: /Expected ADDRESS/ },
  { words: ['why', 'country', 'FR', spec, '--if', 'Cluster/paris'], says: /Expected KIND\/NAME=down/ },
  { words: ['why', 'country', 'FR', spec, '--if', 'Cluster/pariss=down'], says: /did you mean "paris"/ },
  { words: ['why', 'pod', '10.10.1', spec], says: /10\.10\.1 is no IP address/ },
  { words: ['why', 'route', '10.10.1.1/24', spec], says: /has bits behind its length/ },
  { words: ['why', 'blade', 'paris-blade-9', spec], says: /did you mean "paris-blade-[12]"/ },
  { words: ['steering', 'plan', badSite], says: /spec\.type/ },
  { words: ['steering', 'plan', spec, '--demand', notYaml], says: /not\.yaml holds no demand.*\(DemandUnreadable\)/ },
  {
    words: ['steering', 'plan', spec, '--demand', oddDemand],
    says: /requestsPerSecond\.XX: expected the code of a country/,
  },
  {
    words: ['steering', 'plan', spec, '--demand', hugeDemand],
    says: /huge\.json holds no demand.*\(DemandUnreadable\)/,
  },
  { words: ['steering', 'plan', spec, '--demand', futureDemand], says: /lies in the future.*\(DemandUnreadable\)/ },
  { words: ['steering', 'demand', badSite], says: /spec\.type/ },
  { words: ['steering', 'apply', spec], says: /--plan/ },
  { words: ['steering', 'apply', spec, '--plan', 'x', '--ask-seconds', '0'], says: /seconds from 1 to 3600/ },
  { words: ['steering', 'apply', spec, '--plan', 'x', '--name-server', 'ns1.example'], says: /Expected ADDRESS/ },
  { words: ['steering', 'explain', 'www.video.example', 'XX', spec], says: /XX/ },
  { words: ['steering', 'agent'], says: /NoSpecSource/ },
  { words: ['steering', 'agent', '--platform', badSite], says: /spec\.type/ },
  { words: ['steering', 'agent', '--platform', spec, '--mode', 'wild'], says: /observe, recommend, automatic/ },
  { words: ['steering', 'agent', '--platform', spec, '--every', '1'], says: /from 5 to 3600/ },
  { words: ['steering', 'agent', '--platform', spec, '--cluster', 'pariss'], says: /did you mean "paris"/ },
  {
    words: ['steering', 'agent', '--platform', spec, '--metrics-address', 'here'],
    says: /expected host:port/,
  },
  { words: ['steering', 'plan', spec, '--if-approved', 'evening'], says: /there is no TrafficOverlay.*evening/ },
  { words: ['steering', 'proposals', badSite], says: /spec\.type/ },
  { words: ['steering', 'approve', 'evening'], says: /missing required argument/ },
  { words: ['steering', 'approve', 'evening', spec], says: /there is no TrafficOverlay.*evening/ },
  { words: ['steering', 'approve', 'evening', spec, '--proposal', 'x'], says: /12 characters/ },
  { words: ['steering', 'approve', 'evening', spec, '--to-api'], says: /there is no TrafficOverlay.*evening/ },
  { words: ['steering', 'reject', 'evening', spec], says: /there is no TrafficOverlay.*evening/ },
  { words: ['steering', 'adopt', 'www.video.example'], says: /missing required argument/ },
  { words: ['steering', 'adopt', 'nobody.example', spec], says: /nobody\.example/ },
  { words: ['steering', 'adopt', 'www.video.example', spec, '--plan', 'x'], says: /checksum/i },
  { words: ['steering', 'release', 'nobody.example', spec], says: /nobody\.example/ },
  { words: ['steering', 'release', 'www.video.example', spec, '--to', badSite], says: /UnreadableKept/ },
  {
    words: ['steering', 'release', 'www.video.example', spec, '--to', join(folder, 'none', 'x.json')],
    says: /--to .*x\.json cannot be read: .*\(UnreadableKept\)[^]*name the file that/,
  },
  {
    words: ['steering', 'release', 'www.video.example', spec, '--to', folder],
    says: /is no regular file.*UnreadableKept/,
  },
  { words: ['steering', 'restore', badSite], says: /spec\.type/ },
  { words: ['steering', 'restore', spec, '--plan', 'x'], says: /checksum/i },
  { words: ['steering', 'remove', 'nobody.example', spec], says: /--provider/ },
  { words: ['steering', 'history', 'nobody.example', spec], says: /--provider/ },
  { words: ['steering', 'diff', '1', 'x', 'video.example', spec], says: /Expected a generation/ },
  { words: ['steering', 'diff', '0'.repeat(16), '1', 'video.example', spec], says: /ProvidersApart/ },
  { words: ['steering', 'failback', 'www.videos.example', 'paris', spec], says: /no policy answers for www\.videos/ },
  { words: ['steering', 'failback', 'video', 'paris', spec, '--plan', 'x'], says: /checksum/i },
  { words: ['steering', 'rollback', 'x', 'video.example', spec], says: /Expected a generation/ },
  { words: ['steering', 'rollback', '1', 'video.example', spec], says: /powerdns and route53, .*\(ProvidersApart\)/ },
  { words: ['steering', 'rollback', '0'.repeat(16), 'nobody.example', spec], says: /--provider/ },
  { words: ['steering', 'history', 'video.example', badSite], says: /spec\.type/ },
  { words: ['history', spec, '--steering', 'nowhere'], says: /expected host:port/ },
  { words: ['steering', 'drift', badSite], says: /spec\.type/ },
  { words: ['steering', 'apply', spec, '--plan', '0'.repeat(16), '--reason', 'x'.repeat(121)], says: /120 characters/ },
  { words: ['plan'], says: /missing required argument/ },
  { words: ['plan', badSite], says: /spec\.type/ },
  { words: ['plan', spec, '--provider', 'bind'], says: /route53, powerdns, all/ },
  { words: ['plan', spec, '--provider', 'route53', '--route53-endpoint', 'not a url'], says: /not a url/ },
  { words: ['apply', spec], says: /--plan/ },
  { words: ['apply', spec, '--plan', 'x'], says: /checksum/i },
  { words: ['apply', spec, '--plan', '0123456789abcdef', '--approve-share', '7'], says: /share/ },
  { words: ['explain', 'www.video.example', 'FR', spec, '--name-server', 'ns1'], says: /Expected ADDRESS/ },
  { words: ['explain', 'www.video.example', 'FR', spec, '--provider', 'bind'], says: /route53, powerdns, all/ },
  { words: ['explain', 'www.video.example'], says: /missing required argument/ },
  { words: ['explain', 'www.video.example', 'XX', spec], says: /XX/ },
  { words: ['explain', 'nobody.example', 'FR', spec], says: /nobody\.example/ },
  {
    words: ['explain', 'www.video.example', 'FR', spec, '--network', 'x\u001b[2J'],
    says: /neither an address nor a network/,
  },
  { words: ['network', 'agent'], says: /--node/ },
  {
    words: ['network', 'agent', '--cluster', 'paris', '--node', 'w', '--kubeconfig', out],
    says: /--platform-trust paris/,
  },
  { words: ['network', 'agent', '--platform', badSite, '--cluster', 'paris', '--node', 'w'], says: /spec\.type/ },
  { words: ['network', 'agent', '--platform', spec, '--cluster', 'rome', '--node', 'w'], says: /rome/ },
  {
    words: ['network', 'agent', '--platform', spec, '--cluster', 'paris', '--node', 'w', '--metrics-address', 'here'],
    says: /here/,
  },
  {
    words: ['network', 'agent', '--platform', spec, '--cluster', 'paris', '--node', 'w', '--log-level', 'loud'],
    says: /loud/,
  },
  { words: ['edge', 'agent'], says: /--pool/ },
  { words: ['edge', 'agent', '--pool', 'p', '--blade', 'b', '--kubeconfig', out], says: /--cluster.*NoCluster/ },
  {
    words: ['edge', 'agent', '--platform', spec, '--pool', 'paris-edge', '--blade', 'paris-blade-1', '--tls-key', out],
    says: /--tls-cert and --tls-ca are missing/,
  },
  { words: ['edge', 'agent', '--platform', spec, '--pool', 'rome-edge', '--blade', 'b'], says: /rome-edge/ },
  { words: ['edge', 'agent', '--platform', spec, '--pool', 'paris-edge', '--blade', 'b'], says: /\bb\b/ },
  {
    words: [
      'edge',
      'agent',
      '--platform',
      spec,
      '--pool',
      'paris-edge',
      '--blade',
      'paris-blade-1',
      '--log-level',
      'loud',
    ],
    says: /loud/,
  },
  { words: ['edge', 'render', '--platform', spec, '--pool', 'paris-edge'], says: /--run-dir|--to/ },
  {
    words: ['edge', 'render', '--pool', 'paris-edge', '--run-dir', out, '--to', out],
    says: /nothing says where the platform spec is.*\(NoSpecSource\)/,
  },
  {
    words: ['bgp', 'render', '--server', 'w', '--to', out, '--platform-copy', join(folder, 'none')],
    says: /no agent has kept a platform spec .*\(PlatformMissing\)/,
  },
  {
    words: ['edge', 'render', '--platform', spec, '--pool', 'rome-edge', '--run-dir', out, '--to', out],
    says: /rome-edge/,
  },
  {
    words: [
      'edge',
      'render',
      '--platform',
      spec,
      '--pool',
      'paris-edge',
      '--run-dir',
      out,
      '--to',
      out,
      '--workers',
      'many',
    ],
    says: /many/,
  },
  { words: ['bgp', 'render', '--platform', spec, '--server', 'paris-worker-1', '--to', out], says: /address/ },
  {
    words: ['bgp', 'render', '--platform', spec, '--server', 'w', '--address', '10.1.0.300', '--to', out],
    says: /10\.1\.0\.300/,
  },
  { words: ['bgp', 'relay'], says: /--socket PATH is missing/ },
  { words: ['bgp', 'relay', '--socket', out], says: /--local-asn/ },
  { words: ['lab', 'status', ...noState], says: /no lab is running/ },
  { words: ['lab', 'exec', ...noState, '--', 'true'], says: /no lab is running/ },
  { words: ['lab', 'down', ...noState], says: /no lab is running/ },
  { words: ['lab', 'logs', ...noState], says: /no lab has run/ },
  { words: ['lab', 'logs', '-n', 'all', ...noState], says: /expected a whole number/ },
  { words: ['lab', 'heal', ...noState], says: /no lab is running/ },
  { words: ['lab', 'fault', 'earthquake', ...noState], says: /blade-killed/ },
  {
    words: ['lab', 'up', '--steering', 'manual', ...noState],
    says: /Allowed choices are observe, recommend, automatic/,
  },
  { words: ['lab', 'up', '--state', join(folder, 'x'.repeat(120))], says: /too long/ },
  { words: ['demo', '--state', join(folder, 'x'.repeat(120))], says: /too long/ },
  { words: ['demo', '--nonsense'], says: /--nonsense/ },
  { words: ['demo', '--fleet', '--kubernetes'], says: /--kubernetes \(OptionsTogether\)/ },
];

function tideline(words: readonly string[]) {
  return spawnSync('bin/tideline', words, { encoding: 'utf8', timeout: 60_000 });
}

describe('bad input', () => {
  it.each(cases.map((one) => ({ ...one, line: one.words.join(' ') })))('tideline $line', ({ words, says }) => {
    const { status, stdout, stderr } = tideline(words);
    expect({ status, stderr }).toEqual({ status: 2, stderr });
    expect(stdout + stderr).toMatch(says);
    expect(stdout + stderr).not.toMatch(/^\s+at .*[:(]/m);
  });
});

it('every command has a case', () => {
  const known = (words: readonly string[]): boolean =>
    cases.some((one) => words.every((word, index) => one.words[index] === word));
  const commands = leafCommands([]);
  // Without this the test would pass on a help that names no command.
  expect(commands.length).toBeGreaterThan(10);
  for (const words of commands) expect(words, `no case for: tideline ${words.join(' ')}`).toSatisfy(known);
});

/** The commands that have no subcommands, read from the help. */
function leafCommands(path: readonly string[]): readonly (readonly string[])[] {
  const help = tideline([...path, '--help']).stdout;
  const [, list = ''] = help.split(/^Commands:$/m);
  const names = [...list.matchAll(/^ {2}([a-z]\S*)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  return names.length === 0 ? [path] : names.flatMap((name) => leafCommands([...path, name]));
}
