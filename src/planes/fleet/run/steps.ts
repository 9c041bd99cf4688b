import type { ComponentName } from '../compile/document.ts';
import type { Wave } from '../compile/waves.ts';

/** What a command does to servers, written down before it begins: the same for whoever shows it, runs it and goes on with it. */
export interface Run {
  /** The form of this plan; an engine refuses another one. */
  readonly format: 1;
  /** What was asked for: `apply`, `remove worker-7`. */
  readonly command: string;
  /** Of the documents and the steps: what a person agreed to. */
  readonly checksum: string;
  readonly waves: readonly RunWave[];
  /** What a person must do beside the waves, or know before them. */
  readonly warnings: readonly string[];
}

/** Servers that are touched together. The next wave begins when each step of this one was judged good. */
export interface RunWave {
  readonly cluster: string;
  /** `cluster`: what concerns the cluster as a whole, and not some of its servers. */
  readonly kind: Wave['kind'] | 'cluster';
  readonly servers: readonly string[];
  readonly steps: readonly Step[];
}

/** Every step may be done twice: the one in which a run was interrupted is done again. */
export type Step =
  /** The document comes true: Salt's state.apply, judged server by server; of some components, or of all. */
  | { readonly do: 'apply'; readonly servers: readonly string[]; readonly components?: readonly ComponentName[] }
  /** Public keys are collected, certificates signed from the spec, and documents written again. */
  | { readonly do: 'sign'; readonly servers: readonly string[] }
  /** Units with `onChange: orchestrated` that are older than what they watch are restarted. */
  | { readonly do: 'restart'; readonly servers: readonly string[] }
  /** A function of an execution module of `salt/formulas/_modules`. */
  | {
      readonly do: 'call';
      readonly servers: readonly string[];
      readonly function: string;
      readonly arguments: Readonly<Record<string, string | number | boolean | readonly string[]>>;
    }
  /** What the servers carry moves away from them. One that cannot be drained ends the run. */
  | { readonly do: 'drain'; readonly servers: readonly string[] }
  /** They carry again what the drain took from them. */
  | { readonly do: 'return'; readonly servers: readonly string[] }
  /** The API has no Node of these workers any more. A kubelet that still ran would not come back before its next start. */
  | { readonly do: 'forget'; readonly servers: readonly string[] }
  /** The objects that belong to the cluster itself are written into its API. */
  | { readonly do: 'objects'; readonly cluster: string }
  /** The run goes on when the gate holds, and ends when it does not in this time. */
  | {
      readonly do: 'gate';
      readonly gate: GateName;
      readonly servers: readonly string[];
      readonly timeoutSeconds: number;
    };

export type GateName =
  | 'EtcdSpares'
  | 'EtcdHealthy'
  | 'ApiReady'
  | 'VipHeld'
  | 'NodesReady'
  | 'PodsRunning'
  | 'EdgeFit'
  | 'ErrorRate';

/** What this step is called by people: `apply`, or `gate EtcdHealthy`. */
export function stepName(step: Step): string {
  if (step.do === 'gate') return `gate ${step.gate}`;
  if (step.do === 'call') return `call ${step.function}`;
  return step.do === 'apply' && step.components !== undefined ? `apply ${step.components.join(' ')}` : step.do;
}
