interface More<T> {
  /** Gets what runs and how many wait, whenever all lanes are busy again and when one has nothing left to do. */
  readonly now?: (running: readonly T[], waiting: number) => void;
  /**
   * Resolves, after some seconds, with true when one more may run beside the lanes; called again and again. When absent, none
   * may.
   */
  readonly spare?: () => Promise<boolean>;
}

/** Runs the whole queue in its order, at most `lanes` at a time, and one more whenever `spare` allows it. */
export async function runInLanes<T, R>(
  queue: T[],
  lanes: number,
  act: (one: T) => Promise<R>,
  { now = () => undefined, spare }: More<T> = {},
): Promise<readonly R[]> {
  const running = new Set<T>();
  const results: R[] = [];
  const begin = async (one: T): Promise<void> => {
    running.add(one);
    if (running.size >= lanes) now([...running], queue.length);
    results.push(await act(one));
    running.delete(one);
  };
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await begin(next);
    if (running.size > 0) now([...running], 0);
  };
  const beside = async (): Promise<void> => {
    const begun: Promise<void>[] = [];
    while (spare !== undefined && queue.length > 0) {
      const next = (await spare()) ? queue.shift() : undefined;
      if (next !== undefined) begun.push(begin(next));
    }
    await Promise.all(begun);
  };
  await Promise.all([...Array.from({ length: lanes }, lane), beside()]);
  return results;
}
