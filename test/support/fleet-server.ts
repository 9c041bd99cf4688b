import { execFile } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PlannedCertificate } from '../../src/planes/fleet/compile/certificates.ts';
import type { ServerDocument } from '../../src/planes/fleet/compile/document.ts';
import { type Issuer, signAuthority, signLeaf } from '../../src/runtime/x509/certificate.ts';

const run = promisify(execFile);

/** What the servers of a cluster share: authorities that live for a day, and secrets. */
export class SharedSecrets {
  readonly validity = { from: new Date(Date.now() - 60_000), until: new Date(Date.now() + 86_400_000) };
  readonly #issuers = new Map<string, Issuer>();
  readonly secrets = newSecrets();
  /** Certificates of authorities, PEM, by name. */
  readonly authorities = new Map<string, string>();

  issuer(authority: string): Issuer {
    const issuer = this.#issuers.get(authority) ?? { name: { commonName: authority }, ...newKeys() };
    this.#issuers.set(authority, issuer);
    if (!this.authorities.has(authority)) this.authorities.set(authority, signAuthority(issuer, this.validity));
    return issuer;
  }
}

/** A server as its document says, below a folder instead of `/`, all of it as one user. Programs are started by the command lines of the units. */
export class FleetServer {
  /** The document with the paths that count here. */
  readonly document: ServerDocument;
  readonly #root: string;
  readonly #shared: SharedSecrets;

  /** `programOf` says which program stands for one of `/usr/local/bin`. */
  constructor(
    document: ServerDocument,
    root: string,
    programOf: (name: string) => string,
    shared = new SharedSecrets(),
  ) {
    const moved = JSON.stringify(document)
      .replaceAll(/\/(?:etc|var|run)\/[a-z]/g, (path) => root + path)
      .replaceAll(/\/usr\/local\/bin\/([a-z-]+)/g, (_, name: string) => programOf(name));
    this.document = JSON.parse(moved);
    this.#root = root;
    this.#shared = shared;
  }

  get authorities(): ReadonlyMap<string, string> {
    return this.#shared.authorities;
  }

  /** Writes the files, makes the keys, and signs what is planned. Each authority lives for a day. */
  async install(plan: readonly PlannedCertificate[]): Promise<void> {
    const { components, pki } = this.document;
    for (const { directories, files } of components) {
      for (const path of Object.keys(directories)) await mkdir(path, { recursive: true, mode: 0o700 });
      for (const [path, { text }] of Object.entries(files)) await write(path, text);
    }
    await this.#writeUnits();
    for (const [path, { authority }] of Object.entries(pki.authorities)) {
      this.#shared.issuer(authority);
      await write(path, this.authorities.get(authority) ?? '');
    }
    for (const { path, key, authority, commonName, organization, usages, dnsNames, addresses } of plan) {
      const { publicKey, privateKey } = newKeys();
      if (!this.authorities.has(authority))
        throw new Error(`${path} is of ${authority}, which the server does not have`);
      const organisations = organization === undefined ? [] : [organization];
      const hosts = [...dnsNames, ...addresses];
      const content = { commonName, organisations, usages, hosts, ...this.#shared.validity };
      await write(this.at(path), signLeaf(this.#shared.issuer(authority), content, publicKey));
      await write(this.at(key), pemOf(privateKey));
    }
    await this.#writeSecrets();
  }

  /** Starts the program of a unit by its command line and its environment files. */
  async start(unit: string): Promise<void> {
    await this.#systemctl('start', unit);
  }

  /** Ends the program of a unit as a power cut does, and starts it again. */
  async restart(unit: string): Promise<void> {
    await this.#systemctl('kill', unit);
    await this.#systemctl('start', unit);
  }

  /** Ends everything at once, as a power cut does. */
  async stop(): Promise<void> {
    for (const unit of Object.keys(this.#units())) await this.#systemctl('kill', unit);
  }

  async #systemctl(...order: readonly string[]): Promise<void> {
    await run(this.at('/bin/systemctl'), order);
  }

  #units(): Readonly<Record<string, string>> {
    const units = this.document.components.flatMap((component) => Object.entries(component.units));
    return Object.fromEntries(units.map(([name, { text }]) => [name, text]));
  }

  /** A script for each unit, and a stand-in for systemctl that runs them. */
  async #writeUnits(): Promise<void> {
    for (const folder of ['/bin', '/units', '/pids', '/logs']) await mkdir(this.at(folder), { recursive: true });
    await copyFile(join(import.meta.dirname, 'fleet-units/systemctl'), this.at('/bin/systemctl'));
    for (const [name, text] of Object.entries(this.#units())) {
      const [, line = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(text) ?? [];
      const files = [...text.matchAll(/^EnvironmentFile=-?(.*)$/gm)].map(([, path]) => `[ ! -e ${path} ] || . ${path}`);
      const script = `#!/bin/sh\nset -a\n${files.join('\n')}\nset +a\nexec ${line}\n`;
      await writeFile(this.at(`/units/${name}`), script, { mode: 0o755 });
    }
  }

  /** Where a path of the server is here. */
  at(path: string): string {
    return join(this.#root, path);
  }

  async #writeSecrets(): Promise<void> {
    for (const [path, { secret }] of Object.entries(this.document.pki.secrets))
      await write(path, this.#shared.secrets[secret.split('/')[1] ?? ''] ?? '');
  }
}

/** The texts of the secrets of one cluster, by the second part of their names. */
function newSecrets(): Readonly<Record<string, string>> {
  const { publicKey, privateKey } = newKeys();
  const key = { name: 'key1', secret: randomBytes(32).toString('base64') };
  const encryption = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ secretbox: { keys: [key] } }, { identity: {} }] }],
  };
  return {
    encryption: JSON.stringify(encryption),
    'service-accounts': pemOf(privateKey),
    'service-accounts-public': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'sec1', format: 'pem' }).toString();
}
