import { ApiError, type KubeClient } from '../kube/api/client.ts';
import { sourceReason } from '../kube/api/source-reason.ts';
import { kindFacts } from '../kube/kinds.ts';
import { pathOf } from '../kube/status/object.ts';
import { outcomeOf } from '../kube/status/outcome.ts';
import { apiVersion } from '../model/contract.ts';
import { placeOfApi } from '../model/source-status.ts';
import { withoutUndefined } from '../model/values.ts';

/** The field manager of what a command writes for a person. */
export const commandManager = 'tideline-command';

/** Restores what stood there before, unless somebody has changed it since. A writer over another connection to the same API may do it. */
export type Undo = (writer: SpecWriter) => Promise<void>;

/** The kinds that commands write for a person. */
export type WrittenKind = 'Drain' | 'TrafficVerdict';

export interface SpecWriterOptions {
  readonly kind: WrittenKind;
  readonly client: KubeClient;
  /** The Cluster of the platform spec whose API it is. */
  readonly cluster: string;
  readonly timeoutMs: number;
}

interface RawObject {
  /** The generation does not count changes of the status, which agents write. */
  readonly metadata: { readonly uid: string; readonly generation: number; readonly resourceVersion: string };
  readonly spec: unknown;
}

/** Writes objects of one kind into the API of one cluster, and removes them. Everything rejects with an Error that names place and reason. */
export class SpecWriter {
  readonly #options: SpecWriterOptions;

  constructor(options: SpecWriterOptions) {
    this.#options = options;
  }

  /** Puts an object there by a server-side apply that takes no field from another manager. */
  async put(name: string, spec: unknown): Promise<Undo> {
    return this.#said(name, 'written', async () => {
      const before = await this.#get(name);
      const written = await this.#apply(name, spec);
      return (writer) => writer.#restore(name, before, written);
    });
  }

  /** Whether the API would take this object from this user now; it says so and writes nothing. */
  async wouldTake(name: string, spec: unknown): Promise<boolean> {
    return this.#said(name, 'tried', async () => {
      try {
        await this.#apply(name, spec, { dryRun: 'All' });
        return true;
      } catch (error) {
        if (outcomeOf(error).result === 'refused') return false;
        throw error;
      }
    });
  }

  /** Removes an object; one that is gone already is no fault. */
  async remove(name: string): Promise<Undo> {
    return this.#said(name, 'removed', async () => {
      const before = await this.#get(name);
      await this.#delete(name);
      return (writer) => writer.#restore(name, before, undefined);
    });
  }

  /** Puts `before` in the place of `written`, each of which may be nothing. */
  async #restore(name: string, before: RawObject | undefined, written: RawObject | undefined): Promise<void> {
    await this.#said(name, 'taken back', async () => {
      const now = await this.#get(name);
      if (now?.metadata.uid !== written?.metadata.uid || now?.metadata.generation !== written?.metadata.generation)
        return;
      if (before !== undefined) await this.#apply(name, before.spec, { over: now });
      else if (now !== undefined) await this.#delete(name, now);
    });
  }

  async #get(name: string): Promise<RawObject | undefined> {
    try {
      return await this.#request<RawObject>({ path: this.#path(name) });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  #apply(
    name: string,
    spec: unknown,
    { over, dryRun }: { readonly over?: RawObject | undefined; readonly dryRun?: 'All' } = {},
  ): Promise<RawObject> {
    const metadata = { name, ...(over === undefined ? {} : { resourceVersion: over.metadata.resourceVersion }) };
    return this.#request({
      method: 'PATCH',
      path: this.#path(name),
      query: { fieldManager: commandManager, fieldValidation: 'Strict', ...withoutUndefined({ dryRun }) },
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion, kind: this.#options.kind, metadata, spec },
    });
  }

  async #delete(name: string, exactly?: RawObject): Promise<void> {
    const { uid, resourceVersion } = exactly?.metadata ?? {};
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(exactly === undefined ? {} : { preconditions: { uid, resourceVersion } }),
    };
    await this.#request({ method: 'DELETE', path: this.#path(name), body }).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    });
  }

  #path(name: string): string {
    const { kind } = this.#options;
    return pathOf({ apiVersion, kind, resource: kindFacts[kind].plural, name });
  }

  #request<T>(request: Parameters<KubeClient['request']>[0]): Promise<T> {
    const { client, timeoutMs } = this.#options;
    return client.request<T>({ ...request, timeoutMs });
  }

  async #said<T>(
    name: string,
    done: 'written' | 'tried' | 'removed' | 'taken back',
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const where = `${this.#options.kind}/${name} cannot be ${done} in the ${placeOfApi(this.#options.cluster)}`;
      throw new Error(`${where}: ${error.message} (${reasonOf(error)})`, { cause: error });
    }
  }
}

function reasonOf(error: ApiError): string {
  if (error.status === 404) return sourceReason(error);
  const outcome = outcomeOf(error);
  if ('reason' in outcome) return outcome.reason;
  return outcome.result === 'owned-by-other' ? 'OwnedByOther' : sourceReason(error);
}
