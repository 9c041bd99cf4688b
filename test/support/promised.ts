/**
 * How long a test waits for what a document promises within `ms`: half as long again and a second, because the machine may have other
 * work. A test that waits much longer would not see that the promise is broken.
 */
export const promised = (ms: number): number => 1.5 * ms + 1000;
