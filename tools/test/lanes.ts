interface More<T> {
  /** Is told what runs and how many wait: when all lanes are busy again, and when one has nothing left to do. */
  readonly now?: (running: readonly T[], waiting: number) => void;
  /** Takes its time, then says whether one more may run beside the lanes; asked again and again. Absent: never. */
  readonly spare?: () => Promise<boolean>;
}

/** Takes from the queue until it is empty, in its order, at most `lanes` at a time and one more whenever there is power to spare. */
export async function inLanes<T, R>(
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
