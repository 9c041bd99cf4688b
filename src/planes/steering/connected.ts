import type { ProviderName } from './dialects/dialect.ts';

/** The one connection to a provider; one that could not be made is made again when it is wanted next. */
export function connected<Connection>(
  known: Map<ProviderName, Promise<Connection>>,
  name: ProviderName,
  connect: () => Promise<Connection>,
): Promise<Connection> {
  const connection = known.get(name) ?? connect();
  known.set(name, connection);
  return connection;
}
