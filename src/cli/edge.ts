import type { Command } from 'commander';
import { registerAgent } from './edge/agent.ts';
import { registerRender } from './edge/render.ts';

/** `tideline edge ...`: the ingress blades. */
export function register(program: Command): void {
  const edge = program.command('edge').description('The ingress blades: nginx and its agent');
  registerAgent(edge);
  registerRender(edge);
}
