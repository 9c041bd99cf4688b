import { Gauge, type Registry } from './metrics.ts';

/** What a program is: `tideline_build_info` and `tideline_spec_digest`, whose value is 1 and whose labels say it. */
export interface IdentityMetrics {
  /** Tells which spec is in force from now on. */
  setDigest(digest: string): void;
}

export function identityMetrics(registry: Registry, version: string): IdentityMetrics {
  const registers = [registry];
  const build = new Gauge({
    name: 'tideline_build_info',
    help: 'The version of the agent and of the Node that runs it; the value is 1',
    labelNames: ['version', 'node'],
    registers,
  });
  const spec = new Gauge({
    name: 'tideline_spec_digest',
    help: 'The digest of the platform spec in force; the value is 1',
    labelNames: ['digest'],
    registers,
  });
  build.set({ version, node: process.versions.node }, 1);
  return {
    setDigest(digest) {
      spec.reset();
      spec.set({ digest }, 1);
    },
  };
}
