import { messageOf } from '../../src/model/values.ts';
import { Connections, type RequestOptions } from './request.ts';

/** Sends the one request that its argument describes (JSON), and prints the result as JSON on standard output. */
const options = JSON.parse(process.argv[2] ?? '{}') as RequestOptions;
try {
  const { answer } = await new Connections().get(options);
  process.stdout.write(JSON.stringify({ ok: true, status: answer.status, ...podOf(answer.body) }));
} catch (error) {
  process.stdout.write(JSON.stringify({ ok: false, reason: messageOf(error) }));
}
process.exit(0);

function podOf(body: string): { readonly pod?: unknown } {
  try {
    return { pod: JSON.parse(body) };
  } catch {
    return {};
  }
}
