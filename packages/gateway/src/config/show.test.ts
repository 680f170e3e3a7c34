import { expect, test } from "vitest";
import { ENTRIES } from "./entries.ts";
import { parseValue } from "./parse-value.ts";
import { resolveConfig } from "./resolve.ts";
import { showConfig, type ShownOption } from "./show.ts";

function show(env: Record<string, string>): Record<string, ShownOption> {
  const shown = showConfig(resolveConfig({ argv: {}, env, readFile: () => "", cores: 2 }));
  return Object.fromEntries(shown.map((option) => [option.path, option]));
}

test("every option is shown with its value and origin", () => {
  const shown = show({ GEMINI_GATEWAY_LIMITS_BODY: "1536KB", GEMINI_GATEWAY_CORS_ORIGINS: "none" });
  expect(Object.keys(shown)).toEqual(ENTRIES.map(({ path }) => path));
  expect(shown["limits.body"]).toEqual({ path: "limits.body", value: "1536KB", origin: "environment" });
  expect(shown["cors.origins"]).toMatchObject({ value: "none", origin: "environment" });
  expect(shown["workers"]).toMatchObject({ value: "2", origin: "derived" });
});

test("no secret is shown, whole or in part", () => {
  const shown = show({
    AUTH_KEY: "alice=aaaa1111,bbbb2222",
    GEMINI_GATEWAY_PROXY: "socks5://proxy-user:proxy-password@127.0.0.1:1080",
  });
  expect(shown["authKey"]?.value).toBe("alice=****,auth-key-2=****");
  expect(shown["proxy"]?.value).toBe("socks5://****@127.0.0.1:1080");
  expect(JSON.stringify(shown)).not.toMatch(/aaaa|1111|bbbb|2222|proxy-user|proxy-password/);
});

test("what is shown can be given back, except secrets", () => {
  for (const { path, value } of Object.values(show({}))) {
    const { option } = ENTRIES.find((entry) => entry.path === path)!;
    if (value === "" && option.kind !== "url") continue;
    expect(parseValue(option, value)).toBeDefined();
  }
});
