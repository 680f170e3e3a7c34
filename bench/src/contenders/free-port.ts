/** A port for a program that cannot choose a free one itself. Runs in the bench's main process. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Free now; another program could take it before it is used, and the start would fail. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
