import { join } from 'node:path';
import { agentPorts } from '../../src/model/contract.ts';
import type { SteeringStatus } from '../../src/model/steering-status.ts';
import type { Supervisor } from '../supervise.ts';
import { dnsEnvironment } from './dns.ts';
import { operator } from './topology.ts';

export interface SteeringOptions {
  readonly supervisor: Supervisor;
  /** The tideline command. */
  readonly tideline: string;
  readonly platformFolder: string;
  readonly runFolder: string;
  readonly mode: SteeringStatus['mode'];
}

/** Where the steering agent answers, on the operator's machine and to nobody else, so that it needs no certificate. */
export const steeringAddress = `127.0.0.1:${agentPorts.steering}`;

/** Starts the steering agent on the operator's machine; it keeps the zones of both name servers, as far as its mode lets it. */
export function startSteering({ supervisor, tideline, platformFolder, runFolder, mode }: SteeringOptions): void {
  const files = ['--run-dir', join(runFolder, 'steering')];
  supervisor.start({
    name: 'operator/steering-agent',
    namespace: operator.namespace,
    command: tideline,
    arguments: ['steering', 'agent', '--platform', platformFolder, '--mode', mode, '--every', '5', ...files],
    environment: dnsEnvironment,
  });
}
