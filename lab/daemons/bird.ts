import { createConnection } from 'node:net';

/** Sends one command over the control socket. Lines carry a four-digit code; a code followed by a space ends the answer. */
export function askBird(socketPath: string, command: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    socket.setEncoding('utf8');
    socket.setTimeout(5000, () => socket.destroy(new Error(`BIRD did not answer: ${command}`)));
    const lines: string[] = [];
    let rest = '';
    let greeted = false;
    const onLine = (line: string): void => {
      const text = /^\d{4}[ -]/.test(line) ? line.slice(5) : line.slice(1);
      const last = /^\d{4} /.test(line);
      if (!greeted) {
        greeted = true;
        socket.write(`${command}\n`);
        return;
      }
      if (/^[89]\d{3}/.test(line)) return finish(new Error(`${command}: ${text}`));
      if (text !== '') lines.push(text);
      if (last) finish();
    };
    const finish = (error?: Error): void => {
      socket.destroy();
      if (error === undefined) resolve(lines);
      else reject(error);
    };
    socket.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) onLine(line);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`BIRD closed the socket: ${command}`)));
  });
}
