import { deepEqual } from '../kube/objects/equal.ts';
import type { OwnObject } from '../kube/objects/own.ts';
import type { StatusWish } from '../kube/status/contest.ts';
import type { ApiKindName } from '../model/spec/kinds.ts';
import type { Verdict } from '../platform/spec-api.ts';
import type { PlatformApi } from './source.ts';

/** An object in the API, and what the platform that was put together says of it as it stands there. */
export interface Judged<Kind extends ApiKindName> {
  readonly kind: Kind;
  readonly object: OwnObject<string>;
  readonly verdict: Verdict;
  /** What was wished for it last. */
  readonly last: StatusWish | undefined;
}

/** Remembers wishes for objects of these kinds, so that what says the same as before is the identical one. */
export class JudgedWishes<Kind extends ApiKindName> {
  readonly #kinds: readonly Kind[];
  #wishes: readonly StatusWish[] = [];

  constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds;
  }

  /** The wishes for all objects of the API. List and wishes are the identical ones as before while nothing changed. */
  renewed(
    api: Pick<PlatformApi, 'current' | 'objects'>,
    verdicts: readonly Verdict[],
    wishFor: (judged: Judged<Kind>) => StatusWish,
  ): readonly StatusWish[] {
    const { place } = api.current();
    const said = new Map(verdicts.flatMap((one) => (one.place === place ? [[`${one.kind}/${one.name}`, one]] : [])));
    const before = new Map(this.#wishes.map((wish) => [`${wish.object.kind}/${wish.object.name}`, wish]));
    const wishes = this.#kinds.flatMap((kind) =>
      [...api.objects(kind).values()].flatMap((object) => {
        const key = `${kind}/${object.metadata.name}`;
        const [verdict, last] = [said.get(key), before.get(key)];
        // The platform is put together anew a moment after the API has changed.
        if (verdict === undefined || verdict.generation !== object.metadata.generation) return last ?? [];
        const wish = wishFor({ kind, object, verdict, last });
        return last !== undefined && deepEqual(wish, last) ? last : wish;
      }),
    );
    const same = wishes.length === this.#wishes.length && wishes.every((wish, at) => wish === this.#wishes[at]);
    if (!same) this.#wishes = wishes;
    return this.#wishes;
  }
}
