import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority, type Issued } from '../control-plane/pki/certificate.ts';
import { operator, type Server, type World } from '../world/topology.ts';

/** The certificate, key and CA of one program: as files, and what they hold. */
interface AgentCertificate {
  readonly files: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly pem: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** The certificates by which the agents of a lab know each other, of an authority of the lab's own. */
export interface AgentCertificates {
  /** By the name of the server. */
  readonly servers: ReadonlyMap<string, AgentCertificate>;
  /** The one with which the operator's machine asks. */
  readonly operator: AgentCertificate;
}

/** The folder of all of them in the state folder of a lab; it is there only while agents have certificates. */
export const agentCertificateFolder = 'agent-tls';
export const operatorCertificateFolder = join(agentCertificateFolder, operator.namespace);

/** Makes a certificate for each worker and blade, which names it and its address, and one for the operator. */
export async function makeAgentCertificates(stateFolder: string, world: World): Promise<AgentCertificates> {
  const authority = createAuthority('the agents of the lab');
  const save = (name: string, issued: Issued) =>
    saved(join(stateFolder, agentCertificateFolder, name), {
      cert: issued.certificate,
      key: issued.key,
      ca: authority.certificate,
    });
  const made = async ({ name, address }: Server) =>
    [name, await save(name, authority.issue({ commonName: name, hosts: [name, address] }))] as const;
  const servers = world.datacentres.flatMap(({ workers, blades }) => [...workers, ...blades]);
  return {
    servers: new Map(await Promise.all(servers.map(made))),
    operator: await save(operator.namespace, authority.issue({ commonName: 'operator' })),
  };
}

async function saved(folder: string, pem: AgentCertificate['pem']): Promise<AgentCertificate> {
  await mkdir(folder, { recursive: true });
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'ca.crt') };
  await Promise.all([
    writeFile(files.cert, pem.cert),
    writeFile(files.key, pem.key, { mode: 0o600 }),
    writeFile(files.ca, pem.ca),
  ]);
  return { files, pem };
}
