import { readFile } from 'node:fs/promises';
import type { AuditEvent } from './control-plane.ts';

/** Logs each request without its body, once it is answered; a watch also when it begins. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

interface Entry {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user?: { readonly username?: string; readonly groups?: readonly string[] };
  readonly objectRef?: Partial<typeof nothing>;
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Partial<typeof undecided>;
}

/**
 * The requests of the log, oldest first, each once; a running watch is there as it began. The list is empty while there is no
 * log.
 */
export async function readAudit(
  file: string,
  filter: (event: AuditEvent) => boolean = () => true,
): Promise<readonly AuditEvent[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const requests = new Map<string, AuditEvent>();
  // What follows the last newline is an entry that is still being written.
  for (const line of text.split('\n').slice(0, -1)) {
    const entry = JSON.parse(line) as Entry;
    requests.set(entry.auditID, eventOf(entry));
  }
  return [...requests.values()].filter(filter);
}

function eventOf(entry: Entry): AuditEvent {
  const object = { ...nothing, ...entry.objectRef };
  const decided = { ...undecided, ...entry.annotations };
  return {
    user: entry.user?.username ?? '',
    groups: entry.user?.groups ?? [],
    verb: entry.verb,
    uri: entry.requestURI,
    apiGroup: object.apiGroup,
    resource: object.resource,
    subresource: object.subresource,
    namespace: object.namespace,
    name: object.name,
    code: entry.responseStatus?.code ?? 0,
    decision: decided['authorization.k8s.io/decision'],
    decisionReason: decided['authorization.k8s.io/reason'],
  };
}

const nothing = { apiGroup: '', resource: '', subresource: '', namespace: '', name: '' };
const undecided = { 'authorization.k8s.io/decision': '', 'authorization.k8s.io/reason': '' };
