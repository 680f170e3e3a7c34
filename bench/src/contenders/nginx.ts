/**
 * nginx as a reverse proxy: the floor, C code that only passes bytes on. One worker, the least configuration, nothing
 * written to a log. Runs in the bench's main process.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { poll } from "../processes/poll.ts";
import {
  complaintAbout,
  type Contender,
  MissingContender,
  plainTarget,
  START_MS,
  type Surroundings,
} from "./contender.ts";
import { freePort } from "./free-port.ts";

export const NGINX = "nginx";

export async function startNginx(around: Surroundings, key: string): Promise<Contender> {
  const program = nginxProgram();
  if (program === undefined) throw new MissingContender("not installed (Debian: apt-get install nginx)");
  const port = await freePort();
  const configFile = join(around.folder, "nginx.conf");
  writeFileSync(configFile, nginxConfig(around, port));
  const child = await around.children.start({
    name: NGINX,
    command: [program, "-p", around.folder, "-e", "stderr", "-c", configFile],
    cores: around.cores,
  });
  const origin = `http://127.0.0.1:${port}`;
  const listening = plainTarget(origin, key, "/v1beta/models/none:generateContent", "{}");
  await poll(
    "nginx listening",
    async () => ((await complaintAbout(listening))?.startsWith("it answers") ? true : undefined),
    { timeoutMs: START_MS, failed: child.failed },
  );
  return {
    name: NGINX,
    pid: child.pid,
    target: (path, body) => plainTarget(origin, key, path, body),
    [Symbol.asyncDispose]: () => child.end(),
  };
}

/** In the search path, or where Debian puts it, which is not in the path of every user. */
function nginxProgram(): string | undefined {
  return ["nginx", "/usr/sbin/nginx"].find((program) => spawnSync(program, ["-v"]).status === 0);
}

/** Connections are kept for as many requests as come: by default nginx closes each after a thousand. */
function nginxConfig({ upstream, folder }: Surroundings, port: number): string {
  return `
daemon off;
worker_processes 1;
pid ${join(folder, "nginx.pid")};
worker_rlimit_nofile 65536;
events { worker_connections 32768; }
http {
  access_log off;
  client_body_temp_path ${join(folder, "body")};
  proxy_temp_path ${join(folder, "proxy")};
  fastcgi_temp_path ${join(folder, "fastcgi")};
  uwsgi_temp_path ${join(folder, "uwsgi")};
  scgi_temp_path ${join(folder, "scgi")};
  upstream gemini {
    server ${new URL(upstream).host};
    keepalive 16384;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 100000000;
    client_max_body_size 0;
    location / {
      proxy_pass http://gemini;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`;
}
