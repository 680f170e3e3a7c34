import { expect, test } from "vitest";
import { mapSettings } from "./map-settings.ts";
import { readPythonConfig } from "./python-config.ts";

function taken(text: string): Record<string, unknown> {
  return Object.fromEntries(
    mapSettings(readPythonConfig(text)).taken.map(({ option, value }) => [option, value]),
  );
}

test.each([
  ["HOST = '0.0.0.0'\nPORT = 5000", { host: "0.0.0.0", port: 5000 }],
  ["AUTH_KEY = 's3cret'", { authKey: ["s3cret"] }],
  ["AUTH_KEYS = {'alice': 'one', 'bob': 'two'}", { authKey: ["alice=one", "bob=two"] }],
  ["RATE_LIMIT_PER_MINUTE = 30\nRATE_LIMIT_PER_HOUR = 900", { "ip.perMinute": 30, "ip.perHour": 900 }],
  ["RATE_LIMITS = ['40 per minute', '3600/hour']", { "ip.perMinute": 40, "ip.perHour": 3600 }],
  ["BAN_TIME_HOURS = 2", { "ip.ban": "2h" }],
  ["IP_BAN_DURATION = None", { "ip.ban": "permanent" }],
  ["SOCKS5_PROXY = '127.0.0.1:1080'", { proxy: "socks5://127.0.0.1:1080" }],
  ["PROXIES = {'http': 'http://h:1', 'https': 'socks5h://s:2'}", { proxy: "socks5h://s:2" }],
  [
    "SOCKS5_HOST = 'h'\nSOCKS5_PORT = 1080\nSOCKS5_USER = 'u'\nSOCKS5_PASSWORD = 'p@ss'",
    { proxy: "socks5://u:p%40ss@h:1080" },
  ],
  ["USE_PROXY = False\nSOCKS5_PROXY = 'socks5://h:1'", {}],
  ["MODELS = ['gemini-2.5-flash', 'gemini-2.5-pro']", { models: ["gemini-2.5-flash", "gemini-2.5-pro"] }],
  [
    "TEST_INTERVALS = {200: 12*3600, 403: 10*86400, '4xx': 86400, '5xx': 600}",
    {
      "probing.afterSuccess": "43200s",
      "probing.afterForbidden": "864000s",
      "probing.afterRefusal": "86400s",
      "probing.afterServerError": "600s",
    },
  ],
  ["MAX_RETRIES = 3", { "retry.attempts": 4 }],
  ["REQUEST_TIMEOUT = (5, 300)", { "timeouts.connect": "5s", "timeouts.firstByte": "300s" }],
  ["BREAKER_LOW = 0.1\nBREAKER_HIGH = 30", { "breaker.low": "10%", "breaker.high": "30" }],
  ["LOG_LEVEL = 'WARNING'", { logLevel: "warn" }],
  ["STATUS_INTERVAL_MINUTES = 30", { "status.interval": "30m" }],
])("%j is taken over", (text, options) => {
  expect(taken(text)).toEqual(options);
});

test("what has no counterpart, is computed or is not acceptable is told by name and line, and never by value", () => {
  const text =
    "SECRET_KEY = 'flask-s3cret'\nPORT = 99999\nDEBUG = True\nHOST = socket.gethostname()\nAUTH_KEY = 'a b'\n";
  const { taken: options, left } = mapSettings(readPythonConfig(text));
  expect(options).toEqual([]);
  expect(left.map(({ name, line }) => [name, line])).toEqual([
    ["SECRET_KEY", 1],
    ["PORT", 2],
    ["DEBUG", 3],
    ["HOST", 4],
    ["AUTH_KEY", 5],
  ]);
  expect(JSON.stringify(left)).not.toMatch(/s3cret|99999|a b/);
});

test("networks to ban and the places of keys and database are told apart from options", () => {
  const { bans, keysDir, database, left } = mapSettings(
    readPythonConfig(
      "IP_BLACKLIST = ['203.0.113.7', '10.0.0.0/8']\nKEYS_DIR = 'my-keys'\nDB_PATH = 'data/api.db'",
    ),
  );
  expect({ bans, keysDir, database, left }).toEqual({
    bans: ["203.0.113.7", "10.0.0.0/8"],
    keysDir: "my-keys",
    database: "data/api.db",
    left: [],
  });
});
