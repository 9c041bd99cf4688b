import { createServer } from 'node:net';

// An API child that only passes its streams to and from the client of the socket that its argument names.
const server = createServer((socket) => {
  process.stdin.on('data', (chunk) => socket.write(chunk));
  socket.on('data', (chunk) => process.stdout.write(chunk));
});
server.listen(process.argv[2]);
process.stdin.on('end', () => process.exit(0));
