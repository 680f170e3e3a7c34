import { expect, test } from "vitest";
import type { GatewayConfig } from "../config.ts";
import { compareConfigs } from "./compare.ts";
import { resolveConfig } from "./resolve.ts";

function configOf(file: string): GatewayConfig {
  return resolveConfig({ argv: { config: "gw.yaml" }, env: {}, readFile: () => file, cores: 2 }).config;
}

test("the same values written in another way are no change", () => {
  const difference = compareConfigs(configOf("lease: {maxWait: 60s}"), configOf("lease: {maxWait: 1m}"));
  expect(difference).toEqual({ live: [], restart: [] });
});

test("what a running gateway can take over is told apart from what needs a new start", () => {
  const difference = compareConfigs(
    configOf("port: 1000\nlogLevel: debug"),
    configOf("port: 2000\nlogLevel: info\nretry: {attempts: 2}\nauthKey: [a=1, b=2]"),
  );
  expect(difference).toEqual({ live: ["authKey", "logLevel", "retry.attempts"], restart: ["port"] });
});

test("an endless time differs from every other", () => {
  const difference = compareConfigs(configOf("ip: {ban: permanent}"), configOf("ip: {ban: 10m}"));
  expect(difference.live).toEqual(["ip.ban"]);
});

test("a derived default that changes with another option is a change of its own", () => {
  const { restart, live } = compareConfigs(configOf("host: 127.0.0.1"), configOf("host: 0.0.0.0"));
  expect(restart).toEqual(["host"]);
  expect(live).toContain("anonymous");
});
