import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHealthCheckCommand,
  DeleteHealthCheckCommand,
  GetChangeCommand,
  GetHealthCheckStatusCommand,
  ListHealthChecksCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  type Route53Client,
  UpdateHealthCheckCommand,
} from '@aws-sdk/client-route-53';
import { askDns, type NameServer } from '../../src/observe/ask-dns.ts';

export interface AccountOptions {
  readonly client: Route53Client;
  readonly zone: string;
  readonly zoneId: string;
  readonly nameServers: readonly NameServer[];
  /** An address where nothing answers at this port, which checkers may probe. */
  readonly dead: { readonly address: string; readonly port: number };
  /** Pause between two questions of the same thing. */
  readonly pollMs: number;
  /** How long an answer is watched that should not change. */
  readonly watchMs: number;
  /** After so long, something that should happen does not. */
  readonly limitMs: number;
}

/** The label below which all records of a run stand, and with which the references of its checks begin. */
const label = 'tideline-unproven';

/** The test zone of an account. It writes below one name only, makes checks by which it finds them again, and removes both. */
export class TestZone {
  readonly #options: AccountOptions;
  #sequence = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  get zoneId(): string {
    return this.#options.zoneId;
  }

  get nameServers(): readonly NameServer[] {
    return this.#options.nameServers;
  }

  /** A name of this run: `weights.tideline-unproven.test.example.` */
  name(text: string): string {
    return `${text}.${label}.${this.#options.zone}.`;
  }

  /** Sends one batch and resolves when it is in sync, unless `isPatient` is false. Rejects with the error of Route 53. */
  async change(changes: readonly Change[], isPatient = true): Promise<() => Promise<boolean>> {
    const { client, zoneId: HostedZoneId } = this.#options;
    const ChangeBatch = { Changes: [...changes] };
    const { ChangeInfo } = await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch }));
    const isInSync = async (): Promise<boolean> => {
      const state = await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
      return state.ChangeInfo?.Status === 'INSYNC';
    };
    if (isPatient) await this.until('a change is in sync', isInSync);
    return isInSync;
  }

  create(...sets: readonly ResourceRecordSet[]): Promise<unknown> {
    return this.change(sets.map((ResourceRecordSet) => ({ Action: 'CREATE', ResourceRecordSet })));
  }

  /** The name of the error with which a batch is refused; undefined when it is taken. */
  async refusalOf(changes: readonly Change[]): Promise<string | undefined> {
    try {
      await this.change(changes);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    }
  }

  async records(): Promise<readonly ResourceRecordSet[]> {
    const { client, zoneId: HostedZoneId } = this.#options;
    const found: ResourceRecordSet[] = [];
    let next: Pick<ResourceRecordSet, 'Name' | 'Type' | 'SetIdentifier'> | undefined;
    do {
      const page = await client.send(
        new ListResourceRecordSetsCommand({
          HostedZoneId,
          StartRecordName: next?.Name,
          StartRecordType: next?.Type,
          StartRecordIdentifier: next?.SetIdentifier,
        }),
      );
      found.push(...(page.ResourceRecordSets ?? []));
      next = page.IsTruncated
        ? { Name: page.NextRecordName, Type: page.NextRecordType, SetIdentifier: page.NextRecordIdentifier }
        : undefined;
    } while (next !== undefined);
    return found.filter(({ Name }) => Name?.endsWith(`.${label}.${this.#options.zone}.`));
  }

  /** Makes a check of the dead endpoint; resolves with its identifier. */
  async createCheck(): Promise<string> {
    const { client, dead, zoneId } = this.#options;
    this.#sequence += 1;
    const { HealthCheck } = await client.send(
      new CreateHealthCheckCommand({
        CallerReference: `${label}-${zoneId}-${Date.now()}-${this.#sequence}`.slice(0, 64),
        HealthCheckConfig: {
          Type: 'HTTP',
          IPAddress: dead.address,
          Port: dead.port,
          ResourcePath: '/',
          RequestInterval: 30,
          FailureThreshold: 1,
        },
      }),
    );
    return HealthCheck?.Id ?? '';
  }

  /** Makes a check that is healthy while this one is; resolves with its identifier. */
  async createCountingCheck(child: string): Promise<string> {
    const { client, zoneId } = this.#options;
    this.#sequence += 1;
    const { HealthCheck } = await client.send(
      new CreateHealthCheckCommand({
        CallerReference: `${label}-${zoneId}-${Date.now()}-${this.#sequence}`.slice(0, 64),
        HealthCheckConfig: { Type: 'CALCULATED', ChildHealthChecks: [child], HealthThreshold: 1 },
      }),
    );
    return HealthCheck?.Id ?? '';
  }

  async updateCheck(HealthCheckId: string, FailureThreshold: number): Promise<void> {
    await this.#options.client.send(new UpdateHealthCheckCommand({ HealthCheckId, FailureThreshold }));
  }

  async deleteCheck(HealthCheckId: string): Promise<void> {
    await this.#options.client.send(new DeleteHealthCheckCommand({ HealthCheckId }));
  }

  /** What the checkers reported last, one text each. */
  async reportsOf(HealthCheckId: string): Promise<readonly string[]> {
    const answer = await this.#options.client.send(new GetHealthCheckStatusCommand({ HealthCheckId }));
    return (answer.HealthCheckObservations ?? []).map(({ StatusReport }) => StatusReport?.Status ?? '');
  }

  /** The addresses that one name server answers for a name of this run. */
  async ask(text: string, server = this.#options.nameServers[0]): Promise<string> {
    if (server === undefined) throw new Error('no name server of the zone is known; name one with --name-server');
    const part = await askDns({ server, host: this.name(text).slice(0, -1), types: ['A'] });
    if ('problem' in part) throw new Error(`${part.server} ${part.problem}`);
    return part.addresses.join(',') || part.rcode;
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const { limitMs, pollMs } = this.#options;
    const end = performance.now() + limitMs;
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`);
      await pause(pollMs);
    }
  }

  /** The different answers to a question while it is watched, in their order. */
  async watch(ask: () => Promise<string>): Promise<readonly string[]> {
    const { watchMs, pollMs } = this.#options;
    const seen: string[] = [];
    for (const end = performance.now() + watchMs; performance.now() < end; await pause(pollMs)) {
      const answer = await ask();
      if (seen.at(-1) !== answer) seen.push(answer);
    }
    return seen;
  }

  /** Removes every record and check of this run, and of one before that was cut off. */
  async cleanUp(): Promise<void> {
    const records = await this.records();
    const aliasesFirst = [...records].sort((a, b) => depthOf(b, records) - depthOf(a, records));
    if (records.length > 0)
      await this.change(aliasesFirst.map((ResourceRecordSet) => ({ Action: 'DELETE', ResourceRecordSet })));
    const { client, zoneId } = this.#options;
    let Marker: string | undefined;
    const ids: string[] = [];
    do {
      const page = await client.send(new ListHealthChecksCommand({ Marker }));
      const ours = (page.HealthChecks ?? []).filter(({ CallerReference }) =>
        CallerReference?.startsWith(`${label}-${zoneId}-`),
      );
      ids.push(...ours.flatMap(({ Id }) => Id ?? []));
      Marker = page.IsTruncated ? page.NextMarker : undefined;
    } while (Marker !== undefined);
    for (const id of ids) await this.deleteCheck(id);
  }
}

/** How many aliases lie between a record and values. */
function depthOf(record: ResourceRecordSet, all: readonly ResourceRecordSet[]): number {
  const target = record.AliasTarget?.DNSName;
  if (target === undefined) return 0;
  return 1 + Math.max(0, ...all.filter(({ Name }) => Name === target).map((one) => depthOf(one, all)));
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms);
  });
}
