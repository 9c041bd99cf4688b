/* These rules enforce the directions of docs/architecture.md. `make lint` runs them; test/boundary proves that each finds violations. */
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

/** The planes are read from the folder, so that the rules cover a new plane from its first day. */
const planes = readdirSync(join(process.cwd(), 'src/planes'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** These folders and files are pure. */
const pure = [
  '^src/(model|answers)/',
  '^src/planes/[^/]+/(compile|dialects|forecast|policy|records|step)/',
  '^src/planes/[^/]+/(reasons|needs|step|plan|limits|table)\\.ts$',
  '^src/planes/fleet/import/(csv|draft|found|grains|mapping|servers|text)\\.ts$',
  '^src/planes/edge/publish/(served-vips|view)\\.ts$',
  '^src/planes/edge/nginx/(clients|conf|convergence|delta|fields|framing|reasons)\\.ts$',
  '^src/planes/edge/requests/(counts|demand|hosts|last-minute)\\.ts$',
  '^src/planes/scaling/(calibrate/search|demand|findings|text|forecast-text|follow/(demand-kept|floors-kept|remembrance|steps)|hold/(doubts|plan))\\.ts$',
  '^src/planes/scaling/serve/(answers|asks|discovery|keda-asks|quantity|selector|series|series-of)\\.ts$',
  '^src/planes/network/release\\.ts$',
  '^src/planes/fleet/run/(procedures/|steps\\.ts$)',
  '^src/runtime/(backoff|signal)\\.ts$',
  '^src/bgp/(decode|diff|encode|guard|lines|notifications|reasons|route|speaker|window|wire|yield)\\.ts$',
  '^src/bgp/render/(config|limits|server)\\.ts$',
  '^src/kube/(objects/|kinds/)',
  '^src/kube/(calico|kinds|needs|read-object|reasons|rights|source|state)\\.ts$',
  '^src/observe/(why/(?!gather)[a-z]+|doubt-fields|snapshot|steering-part)\\.ts$',
  '^src/preflight/(agents|needs|reasons)\\.ts$',
].join('|');
const tests = '\\.test\\.ts$';

/** The npm packages that the lab may import, and which of its rooms may import which others. */
const lab = require('./lab/dependencies.json');
const literally = (text) => text.replaceAll('.', '\\.');
const packages = (names) => `(^|/)node_modules/(${names.map(literally).join('|')})/`;
const labRoom = (name) => `^lab/${literally(name)}${name.endsWith('.ts') ? '$' : '/'}`;
/** The rooms of the lab are read from the folder: one that is not listed may import no other. */
const labRooms = readdirSync(join(process.cwd(), 'lab'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() || /(?<!\.test)\.ts$/.test(entry.name))
  .map(({ name }) => name);

module.exports = {
  forbidden: [
    ...planes.map((plane) => ({
      name: `${plane}-meets-no-other-plane`,
      comment: 'Planes meet in model, answers, platform, kube, bgp and runtime only.',
      severity: 'error',
      from: { path: `^src/planes/${plane}/` },
      to: { path: '^src/planes/', pathNot: `^src/planes/${plane}/` },
    })),
    {
      name: 'pure-has-no-effects',
      comment: 'Pure files import no node:*; they take a whole snapshot and return a whole result.',
      severity: 'error',
      from: { path: pure, pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-imports-pure',
      comment: 'Of our own rooms a pure file imports pure files only.',
      severity: 'error',
      from: { path: pure, pathNot: tests },
      to: { path: '^(src|lab)/', pathNot: pure },
    },
    {
      name: 'nothing-imports-the-top',
      comment: 'cli and lab are composition roots.',
      severity: 'error',
      from: { path: '^src/(?!cli/)' },
      to: { path: '^(src/cli|lab)/' },
    },
    ...labRooms.map((room) => ({
      name: `lab-${room}-imports-listed-rooms`,
      comment: 'lab/dependencies.json lists which rooms of the lab a room may import: those below it.',
      severity: 'error',
      from: { path: labRoom(room), pathNot: tests },
      to: { path: '^lab/', pathNot: [room, ...(lab.rooms[room] ?? [])].map(labRoom).join('|') },
    })),
    { name: 'emulators-stand-alone', comment: 'An emulator could leave this repository: it imports model, runtime and npm packages, and its callers hand in the rest.', severity: 'error', from: { path: '^lab/(emulators/[^/]+)/', pathNot: tests }, to: { path: '^(src|lab)/', pathNot: '^(lab/$1|src/(model|runtime))/' } },
    { name: 'lab-imports-listed-packages', comment: 'lab/dependencies.json lists the npm packages of the lab, each with a reason.', severity: 'error', from: { path: '^lab/', pathNot: tests }, to: { path: '(^|/)node_modules/', pathNot: packages([...Object.keys(lab.npm), ...Object.keys(lab.npmSharedWithSrc)]) } },
    { name: 'src-without-packages-of-the-lab', comment: 'Packages that lab/dependencies.json lists as the lab\'s own stay out of agents.', severity: 'error', from: { path: '^src/' }, to: { path: packages(Object.keys(lab.npm)) } },
    { name: 'lab-does-not-import-cli', severity: 'error', from: { path: '^lab/' }, to: { path: '^src/cli/' } },
    { name: 'bgp-and-kube-below-planes', severity: 'error', from: { path: '^src/(bgp|kube|model|runtime|platform)/' }, to: { path: '^src/(planes|preflight)/' } },
    { name: 'kube-and-bgp-do-not-meet', comment: 'Clusters have no BGP and routes have no clusters; a plane joins the two.', severity: 'error', from: { path: '^src/(kube|bgp)/' }, to: { path: '^src/(kube|bgp)/', pathNot: '^src/$1/' } },
    { name: 'relay-stays-small', comment: 'The relay runs on every server, beside each ExaBGP.', severity: 'error', from: { path: '^src/bgp/relay/', pathNot: tests }, to: { path: 'node_modules/|^src/(?!bgp/|model/|runtime/(backoff|clock|loop)\\.ts)|^src/bgp/driver/' } },
    { name: 'kube-knows-no-platform', comment: 'The state of a cluster does not depend on the spec.', severity: 'error', from: { path: '^src/kube/', pathNot: tests }, to: { path: '^src/(platform|model/(spec|platform))/' } },
    { name: 'platform-reads-files-only', comment: 'The spec loader imports model, runtime and node:*, and no other room of ours.', severity: 'error', from: { path: '^src/platform/' }, to: { path: '^src/(?!platform/|model/|runtime/)' } },
    { name: 'platform-api-joins-platform-and-kube', comment: 'The platform spec in the API of a cluster: neither kube nor platform knows the other.', severity: 'error', from: { path: '^src/platform-api/', pathNot: tests }, to: { path: '^src/(?!platform-api/|platform/|kube/|model/|runtime/)' } },
    { name: 'only-cli-imports-platform-api', comment: 'Planes see one platform, wherever it is written.', severity: 'error', from: { path: '^(src|lab)/', pathNot: '^src/(platform-api|cli)/' }, to: { path: '^src/platform-api/' } },
    { name: 'answers-imports-model-only', comment: 'Which cluster answers which country is computed from the spec and from records alone.', severity: 'error', from: { path: '^src/answers/', pathNot: tests }, to: { path: '^src/(?!answers/|model/)' } },
    { name: 'answers-is-read-from-above', comment: 'Planes, strategy and observe ask which cluster answers which country; the rooms below them do not.', severity: 'error', from: { path: '^src/(?!answers/|planes/|strategy/|observe/|cli/)' }, to: { path: '^src/answers/' } },
    { name: 'geo-imports-model-only', comment: 'The data of countries is for commands and the lab.', severity: 'error', from: { path: '^src/geo/', pathNot: tests }, to: { path: '^src/(?!geo/|model/)' } },
    { name: 'no-agent-loads-geo', severity: 'error', from: { path: '^src/(?!geo/|cli/)', pathNot: tests }, to: { path: '^src/geo/' } },
    { name: 'observe-knows-agents-by-their-status', comment: 'Agents may be of another version: what observe knows of them is what they answer.', severity: 'error', from: { path: '^src/observe/', pathNot: tests }, to: { path: '^src/(?!observe/|answers/|kube/|model/|runtime/)' } },
    { name: 'only-cli-imports-observe', severity: 'error', from: { path: '^(src|lab)/', pathNot: '^src/(observe|cli)/' }, to: { path: '^src/observe/' } },
    { name: 'runtime-and-model-at-the-bottom', severity: 'error', from: { path: '^src/(runtime|model)/' }, to: { path: '^src/(kube|bgp|platform)/' } },
    { name: 'preflight-checks-clusters', comment: 'The preflight judges a cluster by the needs of the planes (needs.ts), and knows nothing else of planes.', severity: 'error', from: { path: '^src/preflight/' }, to: { path: '^src/', pathNot: '^src/(preflight|kube|model|runtime)/|^src/planes/[^/]+/needs\\.ts$' } },
    { name: 'only-cli-imports-preflight', comment: 'A preflight is for people: no agent and no other room waits for one.', severity: 'error', from: { path: '^(src|lab)/', pathNot: '^src/(preflight|cli)/' }, to: { path: '^src/preflight/' } },
    { name: 'client-node-in-one-place', comment: 'KubeClient hides the library from all other files; most of the library is too large to load (decision 42).', severity: 'error', from: { pathNot: '^src/kube/api/access/' }, to: { path: '@kubernetes/client-node' } },
    { name: 'src-without-tests', severity: 'error', from: { path: '^(src|lab)/', pathNot: tests }, to: { path: `(^test/|${tests})` } },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'], conditionNames: ['import', 'node', 'default'], exportsFields: ['exports'] },
  },
};
