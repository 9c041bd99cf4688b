import type { AgentAccess, Disbelief } from '../../../runtime/tls/line.ts';
import { openLine } from '../../../runtime/tls/line.ts';
import { type GetJson, getJson } from './probe.ts';

/** What an agent answered, if it did, and why nothing is believed without doubt that it says. */
interface Heard {
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** Null where a certificate was looked at and is right; undefined where none was. */
  readonly disbelief: Disbelief | null | undefined;
}

/**
 * Asks the agent of a server. With certificates only who shows that of the server is believed. During the grace everybody is, as without
 * certificates; both ways are tried beside each other, since an agent of an older version says nothing to a handshake. Never rejects.
 */
export async function askAgentOf(server: string, question: GetJson, access: AgentAccess | undefined): Promise<Heard> {
  if (access === undefined) return { body: await getJson(question), disbelief: undefined };
  const plain = access.grace ? getJson(question) : undefined;
  const material = access.material();
  if (material === undefined) return { body: await plain, disbelief: undefined };
  const line = openLine(material, question, server);
  const secured = await getJson({ ...question, open: () => line.socket });
  const disbelief = line.disbelief() ?? null;
  line.socket.destroy();
  return { body: secured ?? (await plain), disbelief };
}
