import type { Command } from 'commander';
import { registerAgent } from './network/agent.ts';

/** `tideline network ...`: the workers' routes. */
export function register(program: Command): void {
  const network = program.command('network').description("The workers' routes: pods and servers reachable by BGP");
  registerAgent(network);
}
