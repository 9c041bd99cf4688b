/**
 * Takes from the queue until it is empty, at most `lanes` at a time, in its order. `now` is told what runs and how many wait:
 * when all lanes are busy again, and when one has nothing left to do.
 */
export async function inLanes<T, R>(
  queue: T[],
  lanes: number,
  act: (one: T) => Promise<R>,
  now: (running: readonly T[], waiting: number) => void = () => undefined,
): Promise<readonly R[]> {
  const running = new Set<T>();
  const results: R[] = [];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      running.add(next);
      if (running.size === lanes) now([...running], queue.length);
      results.push(await act(next));
      running.delete(next);
    }
    if (running.size > 0) now([...running], 0);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
