import { connect, createServer, type Socket } from 'node:net';

/**
 * A door into a network namespace: listens on a unix socket, which has no namespace, and connects from where it runs. The
 * first line of a connection names the target, `HOST PORT`; everything after it is passed on, both ways.
 *   node main.ts SOCKET
 */
const [socket = ''] = process.argv.slice(2);

createServer((client) => {
  client.on('error', () => client.destroy());
  let head = Buffer.alloc(0);
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\n');
    if (end < 0) return;
    client.off('data', read);
    client.pause();
    pass(client, head.subarray(0, end).toString(), head.subarray(end + 1));
  };
  client.on('data', read);
}).listen(socket);

function pass(client: Socket, target: string, rest: Buffer): void {
  const [host = '', port = ''] = target.split(' ');
  const server = connect({ host, port: Number(port) });
  server.on('error', () => client.destroy());
  server.on('close', () => client.destroy());
  client.on('close', () => server.destroy());
  server.write(rest);
  client.pipe(server).pipe(client);
}
