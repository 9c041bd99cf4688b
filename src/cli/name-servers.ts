import { Resolver } from 'node:dns/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { NameServer } from '../observe/ask-dns.ts';

export interface NameServerArguments {
  readonly nameServer: readonly NameServer[];
}

/** Adds the option that names the name servers to ask, the same for every command that asks them. */
export function addNameServerOption(command: Command): Command {
  return command.addOption(
    new Option('--name-server <address[:port]>', 'ask this one (default: those of the zone); may be repeated')
      .argParser(parseNameServers)
      .env('TIDELINE_NAME_SERVERS')
      .default([], 'NS records of the zone'),
  );
}

/** Where the name server of this name is asked, by the resolver of this machine; rejects when it has no address there. */
export async function addressOfNameServer(name: string): Promise<NameServer> {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  const [address] = await resolver.resolve4(name).catch(() => resolver.resolve6(name));
  if (address === undefined) throw new Error(`${name} has no address here`);
  return { address, port: 53 };
}

/** One, or several with commas between them, as an environment variable has them; an empty one names none. */
function parseNameServers(text: string, before: readonly NameServer[]): readonly NameServer[] {
  if (text === '') return before;
  return [...before, ...text.split(',').map(parseNameServer)];
}

function parseNameServer(text: string): NameServer {
  const [, bracketed, plain, port = '53'] =
    /^(?:\[([\da-fA-F:.]+)\]|([\d.]+|[\da-fA-F:]*:[\da-fA-F:.]*:[\da-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new InvalidArgumentError('Expected ADDRESS or ADDRESS:PORT, of IPv6 [ADDRESS]:PORT.');
  return { address, port: Number(port) };
}
