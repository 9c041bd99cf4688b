import type { EdgePart, NetworkPart } from './snapshot.ts';

/** What a finding says of the agent itself. */
interface Own {
  readonly severity: 'fault' | 'warning';
  readonly what: string;
}

/** What is wrong with the certificates of an agent, and with those of its peers as it sees them. */
export function endpointFindings(part: EdgePart | NetworkPart): readonly Own[] {
  const { endpoint } = part;
  const peers = 'blade' in part ? (part.peersNotBelieved ?? []) : [];
  const grace = endpoint?.certificates === 'grace';
  return [
    ...peers.map(({ blade, reason, message }): Own => {
      const what = grace ? 'would not believe' : 'does not believe';
      return {
        severity: grace ? 'warning' : 'fault',
        what: `${what} ${blade}${grace ? ' without the grace' : ''}: ${message} (${reason})`,
      };
    }),
    ...(endpoint?.problem === undefined
      ? []
      : [
          {
            severity: 'fault' as const,
            what: `cannot use its certificate files: ${endpoint.problem.message} (${endpoint.problem.reason})`,
          },
        ]),
    ...(endpoint?.certificate?.endsWithinDays === undefined
      ? []
      : [
          {
            severity: 'warning' as const,
            what: `has a certificate for other agents that ends within ${endpoint.certificate.endsWithinDays} days`,
          },
        ]),
    ...(grace
      ? [{ severity: 'warning' as const, what: 'answers also who has no certificate (--tls-mode grace)' }]
      : []),
  ];
}
