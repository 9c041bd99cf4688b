/* The directions of design section "the house", enforced. `make lint` runs it; test/boundary proves that it bites. */
const planes = ['network', 'edge', 'steering'];
const pure = '^src/(model/|[^/]+/(compile|policy|records)/)';

module.exports = {
  forbidden: [
    ...planes.map((plane) => ({
      name: `${plane}-meets-no-other-plane`,
      comment: 'Planes meet in model, kube, bgp and runtime only.',
      severity: 'error',
      from: { path: `^src/${plane}/` },
      to: { path: `^src/(${planes.filter((other) => other !== plane).join('|')})/` },
    })),
    {
      name: 'pure-has-no-effects',
      comment: 'Pure folders import no node:*, no clock, no log, no effect room: whole snapshot in, whole result out.',
      severity: 'error',
      from: { path: pure, pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-imports-pure',
      severity: 'error',
      from: { path: pure, pathNot: '\\.test\\.ts$' },
      to: { path: '^src/(runtime|platform|lab|cli|kube|bgp/(relay|driver)|steering/providers|edge/nginx)/', pathNot: '^src/kube/source\\.ts$' },
    },
    {
      name: 'nothing-imports-the-top',
      comment: 'cli and lab are composition roots.',
      severity: 'error',
      from: { path: '^src/(?!cli/|lab/)' },
      to: { path: '^src/(cli|lab)/' },
    },
    { name: 'lab-does-not-import-cli', severity: 'error', from: { path: '^src/lab/' }, to: { path: '^src/cli/' } },
    { name: 'bgp-and-kube-below-planes', severity: 'error', from: { path: '^src/(bgp|kube|model|runtime)/' }, to: { path: `^src/(${planes.join('|')})/` } },
    { name: 'platform-reads-files-only', comment: 'The spec loader: model, runtime and node:*, nothing else of ours.', severity: 'error', from: { path: '^src/platform/' }, to: { path: '^src/(?!platform/|model/|runtime/)' } },
    { name: 'runtime-and-model-at-the-bottom', severity: 'error', from: { path: '^src/(runtime|model)/' }, to: { path: '^src/(kube|bgp|platform)/' } },
    { name: 'client-node-in-one-place', comment: 'Kubernetes, as the library knows it, ends at KubeClient; most of the library is too large to load (decision 42).', severity: 'error', from: { pathNot: '^src/kube/kubernetes/access/' }, to: { path: '@kubernetes/client-node' } },
    { name: 'src-without-tests', severity: 'error', from: { path: '^src/', pathNot: '\\.test\\.ts$' }, to: { path: '(^test/|\\.test\\.ts$)' } },
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
