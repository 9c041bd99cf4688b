import { type Command, InvalidArgumentError, Option } from 'commander';
import { metricsApiName, metricsApiPort } from '../../model/contract.ts';
import { InputError } from '../../model/problem.ts';

interface RenderArguments {
  readonly family: 'IPv4' | 'IPv6';
  readonly ca: string;
  readonly port: number;
  readonly kedaPort?: number;
  readonly withoutExternal?: true;
}

/** `tideline scaling render`: the manifests by which a cluster finds the metrics APIs. */
export function register(scaling: Command): void {
  scaling
    .command('render')
    .description('Print the manifests by which a cluster finds the metrics APIs that `serve` serves')
    .requiredOption('--ca <file>', 'the authority that issued the certificate of the agents, in PEM')
    .addOption(
      new Option('--family <family>', 'the address family of the Service, in which agents are reached')
        .choices(['IPv4', 'IPv6'])
        .default('IPv4'),
    )
    .option('--port <port>', 'the port on which they serve', parsePort, metricsApiPort)
    .option('--keda-port <port>', 'the port on which they serve KEDA, where they do', parsePort)
    .option('--without-external', 'leave external.metrics.k8s.io to another server, such as KEDA: a cluster has one')
    .addHelpText(
      'after',
      `
The certificate of the agents must have the name ${metricsApiName}. Then: tideline scaling render … | kubectl apply -f -
To leave again, delete the APIServices first: while they stand and nobody answers, namespaces of the cluster hang in Terminating.`,
    )
    .action(run);
}

async function run({ family, ca, port, kedaPort, withoutExternal }: RenderArguments): Promise<void> {
  const { metricsApiManifests } = await import('../../planes/scaling/serve/manifests.ts');
  const { authoritiesIn } = await import('../../planes/scaling/serve/door/certificates.ts');
  const { readBounded } = await import('../../runtime/bounded-file.ts');
  const { messageOf } = await import('../../model/values.ts');
  const { printLines } = await import('../../runtime/print.ts');
  const { stringify } = await import('yaml');
  const bad = (path: string, message: string, fix: string): InputError =>
    new InputError({ reason: 'BadOption', path, message, fix });
  const authority = await readBounded(ca, 256 << 10).catch((error: unknown) => {
    throw bad('--ca', `${ca} cannot be read: ${messageOf(error)}`, 'name a file that this user may read');
  });
  const pem = authority.toString('utf8');
  const found = (() => {
    try {
      return authoritiesIn(pem);
    } catch {
      return [];
    }
  })();
  if (found.length === 0)
    throw bad('--ca', `${ca} holds no certificate in PEM`, 'name the certificate of the authority, not a key');
  const notAuthority = found.find(({ certificate }) => !certificate.ca);
  if (notAuthority !== undefined)
    throw bad(
      '--ca',
      `${ca} holds a certificate that is no authority: ${notAuthority.certificate.subject.replaceAll('\n', ', ')}`,
      'name the authority that issued the certificate of the agents',
    );
  const manifests = metricsApiManifests({
    family,
    port,
    kedaPort,
    authority: pem,
    withExternal: withoutExternal !== true,
  });
  printLines(manifests.flatMap((manifest) => ['---', ...stringify(manifest).trimEnd().split('\n')]));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError('Expected a port.');
  return port;
}
