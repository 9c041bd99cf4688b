import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { accessFileBytes } from '../kube/api/access/files.ts';
import { InputError } from '../model/problem.ts';
import { messageOf } from '../model/values.ts';
import { readBounded, UnreadableFile } from '../runtime/bounded-file.ts';
import type { CertificateFacts, Target } from './target.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

/** Only the fields that say where the server is and how it is trusted. Credentials are read by `connect`. */
const Kubeconfig = z.object({
  'current-context': text,
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: text }) })).nullish(),
  clusters: z
    .array(
      z.object({
        name: z.string(),
        cluster: z.object({
          server: z.string(),
          'certificate-authority': text,
          'certificate-authority-data': text,
          'tls-server-name': text,
          'insecure-skip-tls-verify': z.boolean().nullish(),
          'proxy-url': text,
        }),
      }),
    )
    .nullish(),
  users: z
    .array(
      z.object({
        name: z.string(),
        user: z.object({ 'client-certificate': text, 'client-certificate-data': text }).nullish(),
      }),
    )
    .nullish(),
});

/** Reads the server and context that a kubeconfig names. Throws InputError when it names none. */
export async function readTarget(file: string, context: string | undefined): Promise<Target> {
  const config = await readConfig(file);
  const { name, cluster: clusterName, userName } = chooseContext(file, config, context);
  const cluster = (config.clusters ?? []).find((one) => one.name === clusterName)?.cluster;
  if (cluster === undefined)
    throw badKubeconfig(
      file,
      `context ${name} names the cluster ${JSON.stringify(clusterName)}, which is not there`,
      'add the cluster, or name another context',
    );
  const url = URL.parse(cluster.server);
  if (url?.protocol !== 'https:')
    throw badKubeconfig(
      file,
      `the server ${JSON.stringify(cluster.server)} is not an https:// address`,
      'write https://HOST:PORT',
    );
  const user = (config.users ?? []).find((one) => one.name === userName)?.user;
  const certificate = await readPem(file, user?.['client-certificate-data'], user?.['client-certificate']);
  return {
    file,
    context: name,
    cluster: clusterName,
    user: userName,
    server: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 443 : Number(url.port),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    authority: await readPem(file, cluster['certificate-authority-data'], cluster['certificate-authority']),
    serverName: cluster['tls-server-name'],
    proxy: cluster['proxy-url'],
    clientCertificate: certificate === undefined ? undefined : certificateFacts(file, certificate),
  };
}

function badKubeconfig(file: string, message: string, fix: string): InputError {
  return new InputError({ reason: 'BadKubeconfig', file, message, fix });
}

function chooseContext(file: string, config: z.infer<typeof Kubeconfig>, wanted: string | undefined) {
  const name = wanted ?? config['current-context'];
  const contexts = config.contexts ?? [];
  const chosen = contexts.find((one) => one.name === name)?.context;
  if (name !== undefined && chosen !== undefined) return { name, cluster: chosen.cluster, userName: chosen.user ?? '' };
  const known = contexts.map((one) => one.name).join(', ') || 'none';
  const what = name === undefined ? 'no current-context' : `no context ${JSON.stringify(name)}`;
  throw badKubeconfig(file, `${what} (there are: ${known})`, 'name a context with --context');
}

async function readConfig(file: string): Promise<z.infer<typeof Kubeconfig>> {
  const content = await readText(file, file);
  let document: unknown;
  try {
    document = parse(content);
  } catch (error) {
    throw badKubeconfig(file, `not YAML: ${messageOf(error).split('\n')[0]}`, 'correct the text there');
  }
  const result = Kubeconfig.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badKubeconfig(
    file,
    `not a kubeconfig: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    'name a kubeconfig',
  );
}

async function readPem(file: string, data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return path === undefined ? undefined : await readText(resolve(dirname(file), path), file);
}

async function readText(path: string, file: string): Promise<string> {
  try {
    return (await readBounded(path, accessFileBytes)).toString('utf8');
  } catch (error) {
    const what = path === file ? '' : `${path} `;
    if (error instanceof UnreadableFile)
      throw badKubeconfig(file, `${what}${error.message}`, 'name a kubeconfig, and regular files in it');
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw badKubeconfig(file, `${what}cannot be read (${code})`, 'check the path and its permissions');
  }
}

function certificateFacts(file: string, certificate: string): CertificateFacts {
  try {
    return factsOf(new X509Certificate(certificate));
  } catch {
    throw badKubeconfig(file, 'the client certificate is not one', 'write a certificate in PEM form');
  }
}

/** The facts of a certificate, with subject and issuer as one line each. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    fromMs: Date.parse(certificate.validFrom),
    untilMs: Date.parse(certificate.validTo),
  };
}

function oneLine(name: string | undefined): string {
  return name?.split('\n').join(', ') || 'no name';
}
