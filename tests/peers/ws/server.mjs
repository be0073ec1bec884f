// The peer that chat's fan-out is measured beside: a broadcast server as the manual of `ws` shows it.
// node server.mjs HOST PORT
import WebSocket, { WebSocketServer } from 'ws';

const [host, port] = process.argv.slice(2);
const server = new WebSocketServer({ host, port: Number(port), perMessageDeflate: false, backlog: 4096 });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
});
