import { buildTools } from './go-tools.ts';

/** Builds Calico's Felix into `target`, without libbpf and so without BPF. */
export async function makeFelix(target: string, say: (line: string) => void): Promise<void> {
  await buildTools('felix', target, [], say);
}
