import { count, type Finding, failed, names, ok, quote, warning } from '../finding.ts';
import type { PreflightReason } from '../reasons.ts';
import type { AddressFacts, ProbeFacts, Target } from '../target.ts';

/** Judges from the resolver and from TCP whether the server can be reached at all. */
export function judgeConnection(target: Target, probe: ProbeFacts): readonly Finding[] {
  const { host, port } = target;
  if (probe.nameError !== undefined)
    return [
      failed('api-name', 'NameNotResolved', {
        found: `${host} does not resolve (${probe.nameError})`,
        expected: 'an address for the server of the kubeconfig',
        fix: `getent hosts ${quote(host)}; kubectl config set-cluster ${quote(target.cluster)} --server=https://HOST:${port} --kubeconfig=${quote(target.file)}`,
      }),
    ];
  const dead = probe.addresses.filter(({ tcp }) => tcp !== 'ok');
  const first = dead[0];
  const list = names(probe.addresses.map(({ address }) => address));
  const name = ok('api-name', list === host ? `${host} is an address itself` : `${host} is ${list}`);
  if (first === undefined) {
    const found = `${count(probe.addresses.length, 'address', 'addresses')} on port ${port}`;
    return [name, ok('api-connection', `connected to ${found}`)];
  }
  if (dead.length < probe.addresses.length)
    return [
      name,
      warning('api-connection', 'AddressesPartlyDead', {
        found: `${dead.map(({ address, tcp }) => `${address} (${tcp})`).join(', ')} of ${probe.addresses.length} do not answer`,
        expected: `every address of ${host} takes connections on port ${port}`,
        fix: `nc -zv ${quote(first.address)} ${port}`,
      }),
    ];
  return [name, unreachable(target, first)];
}

interface TcpVerdict {
  readonly reason: PreflightReason;
  readonly found: string;
  readonly fix: string;
}

function unreachable({ port }: Target, { address, tcp }: AddressFacts): Finding {
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const { reason, found, fix } = meaningOf(tcp, where, address);
  return failed('api-connection', reason, { found, expected: `a kube-apiserver on ${where}`, fix });
}

function meaningOf(tcp: string, where: string, address: string): TcpVerdict {
  switch (tcp) {
    case 'ECONNREFUSED':
      return {
        reason: 'ConnectionRefused',
        found: `${where} refuses connections: nothing listens there`,
        fix: `ssh ${address} crictl ps -a --name kube-apiserver`,
      };
    case 'timeout':
    case 'ETIMEDOUT':
      return { reason: 'ConnectionTimedOut', found: `no answer from ${where}`, fix: `ip route get ${address}` };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { reason: 'Unroutable', found: `no route to ${address} (${tcp})`, fix: `ip route get ${address}` };
    default:
      return {
        reason: 'ConnectionFailed',
        found: `connecting to ${where} failed (${tcp})`,
        fix: `nc -zv ${where.replace(/:(\d+)$/, ' $1')}`,
      };
  }
}
