import type { Account } from './api/operation.ts';
import type { DnsServer } from './dns/server.ts';
import { compressTimeouts } from './health/probe.ts';

/** The page at /emulator/status: everything that the emulator holds, and its time compression. */
export function describeStatus(
  account: Account,
  settings: { readonly timeCompression: number; readonly insyncDelayMs: number; readonly checkers: number },
  dns: DnsServer,
): unknown {
  const { zones, healthChecks, checkers, cidrCollections } = account;
  const all = zones.list();
  return {
    emulates: 'Route 53, API version 2013-04-01, a subset',
    timeCompression: settings.timeCompression,
    insyncDelayMs: settings.insyncDelayMs,
    checkersPerHealthCheck: settings.checkers,
    probeTimeouts: compressTimeouts(settings.timeCompression),
    dns: { address: `${dns.host}:${dns.port}`, answered: dns.answered() },
    zones: all.map((zone) => ({
      id: zone.id,
      name: zone.name,
      pendingChange: zones.pendingChange(zone.id) ?? null,
      records: zone.table.all(),
    })),
    cidrCollections: cidrCollections.list(),
    healthChecks: healthChecks.list().map((check) => ({
      id: check.id,
      callerReference: check.callerReference,
      version: check.version,
      healthy: healthChecks.isHealthy(check.id),
      intervalMs: (check.settings.intervalSeconds * 1000) / settings.timeCompression,
      settings: check.settings,
      checkers: checkers.observations(check.id),
    })),
    deletedButUsed: [
      ...new Set(
        all
          .flatMap((zone) => zone.table.all().flatMap((record) => record.healthCheckId ?? []))
          .filter((id) => !healthChecks.exists(id)),
      ),
    ],
  };
}
