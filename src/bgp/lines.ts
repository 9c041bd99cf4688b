/** Splits chunks of text into lines; a line longer than `maxLength` is dropped whole, and `onOverlong` is called. */
export function lineSplitter(options: {
  readonly maxLength: number;
  readonly onLine: (line: string) => void;
  readonly onOverlong: () => void;
}): (chunk: string) => void {
  let rest = '';
  let dropping = false;
  return (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      if (dropping) dropping = false;
      else if (line.length > options.maxLength) options.onOverlong();
      else options.onLine(line);
    }
    if (rest.length > options.maxLength) {
      rest = '';
      if (!dropping) options.onOverlong();
      dropping = true;
    }
  };
}
