import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PlannedCertificate } from '../../src/planes/fleet/compile/certificates.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { type Issuer, signAuthority, signLeaf } from '../../src/runtime/x509/certificate.ts';

/** A server as its document says, below a folder instead of `/`, all of it as one user. Programs are started by the command lines of the units. */
export class FleetServer {
  readonly #document: ServerDocument;
  readonly #root: string;
  readonly #programs: string;
  readonly #children: ChildProcess[] = [];
  /** Certificates of authorities, PEM, by name. */
  readonly authorities = new Map<string, string>();

  /** `programs` is the folder that has the programs of `/usr/local/bin`. */
  constructor(document: ServerDocument, root: string, programs: string) {
    this.#document = document;
    this.#root = root;
    this.#programs = programs;
  }

  /** Writes the files, makes the keys, and signs what is planned. Each authority lives for a day. */
  async install(plan: readonly PlannedCertificate[]): Promise<void> {
    const { components, pki } = this.#document;
    for (const { directories, files } of components) {
      for (const path of Object.keys(directories)) await mkdir(this.at(path), { recursive: true, mode: 0o700 });
      for (const [path, { text }] of Object.entries(files)) await this.#write(path, this.#moved(text));
    }
    const until = new Date(Date.now() + 86_400_000);
    const validity = { from: new Date(Date.now() - 60_000), until };
    const issuers = new Map<string, Issuer>();
    for (const [path, { authority }] of Object.entries(pki.authorities)) {
      const issuer = { name: { commonName: authority }, ...newKeys() };
      issuers.set(authority, issuer);
      this.authorities.set(authority, signAuthority(issuer, validity));
      await this.#write(path, this.authorities.get(authority) ?? '');
    }
    for (const { path, key, authority, commonName, organization, usages, dnsNames, addresses } of plan) {
      const { publicKey, privateKey } = newKeys();
      const issuer = issuers.get(authority);
      if (issuer === undefined) throw new Error(`${path} is of ${authority}, which the server does not have`);
      const organisations = organization === undefined ? [] : [organization];
      const content = { commonName, organisations, usages, hosts: [...dnsNames, ...addresses], ...validity };
      await this.#write(path, signLeaf(issuer, content, publicKey));
      await this.#write(key, pemOf(privateKey));
    }
    await this.#writeSecrets();
  }

  /** Starts the program of a unit by its command line and its environment files. */
  async start(unit: string): Promise<void> {
    const text = this.#document.components.map(({ units }) => units[unit]?.text).find((found) => found !== undefined);
    const [, line = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(text ?? '') ?? [];
    const [program = '', ...args] = this.#moved(line.replaceAll('\\\n', ' ')).split(/ +/);
    const file = this.#document.components
      .flatMap(({ files }) => Object.entries(files))
      .find(([path]) => path.endsWith('cluster.env'));
    const environment = unit === 'etcd.service' ? (file?.[1].text ?? '') : '';
    const variables = environment
      .split('\n')
      .flatMap((one) => (one.includes('=') ? [one.split(/=(.*)/s).slice(0, 2)] : []));
    const child = spawn(join(this.#programs, program.replace('/usr/local/bin/', '')), args, {
      env: Object.fromEntries(variables),
      stdio: 'ignore',
    });
    this.#children.push(child);
    await once(child, 'spawn');
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed().filter(({ exitCode }) => exitCode === null)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }

  /** Where a path of the server is here. */
  at(path: string): string {
    return join(this.#root, path);
  }

  #moved(text: string): string {
    return text.replaceAll(/\/(?:etc|var)\/[a-z]/g, (path) => this.#root + path);
  }

  async #write(path: string, text: string): Promise<void> {
    await mkdir(dirname(this.at(path)), { recursive: true, mode: 0o700 });
    await writeFile(this.at(path), text, { mode: 0o600 });
  }

  async #writeSecrets(): Promise<void> {
    const { publicKey, privateKey } = newKeys();
    const key = { name: 'key1', secret: randomBytes(32).toString('base64') };
    const encryption = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [{ resources: ['secrets'], providers: [{ secretbox: { keys: [key] } }, { identity: {} }] }],
    };
    const texts: Readonly<Record<string, string>> = {
      encryption: JSON.stringify(encryption),
      'service-accounts': pemOf(privateKey),
      'service-accounts-public': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };
    for (const [path, { secret }] of Object.entries(this.#document.pki.secrets))
      await this.#write(path, texts[secret.split('/')[1] ?? ''] ?? '');
  }
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}
