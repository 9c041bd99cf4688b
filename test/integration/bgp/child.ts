import { createServer } from 'node:net';

// An API child that only passes its streams to and from whoever connects to the socket named by its argument.
const server = createServer((socket) => {
  process.stdin.on('data', (chunk) => socket.write(chunk));
  socket.on('data', (chunk) => process.stdout.write(chunk));
});
server.listen(process.argv[2]);
process.stdin.on('end', () => process.exit(0));
