import { expect, test } from "vitest";
import { ENTRIES, type Entry } from "./entries.ts";
import { parseDuration } from "./duration.ts";
import { parseValue } from "./parse-value.ts";
import { parseSize } from "./size.ts";

function optionAt(path: string): Entry["option"] {
  const entry = ENTRIES.find((candidate) => candidate.path === path);
  if (entry === undefined) throw new Error(`no option ${path}`);
  return entry.option;
}

/** Bounds of a numeric option, with writings of one step beyond each; undefined for the other kinds. */
function boundsOf({ option }: Entry): { inside: unknown[]; outside: unknown[] } | undefined {
  switch (option.kind) {
    case "integer":
      return { inside: [option.min, String(option.max)], outside: [option.min - 1, String(option.max + 1)] };
    case "number":
      return {
        inside: [option.min, String(option.max)],
        outside: [option.min - 0.1, String(option.max + 0.1)],
      };
    case "duration": {
      const [minMs, maxMs] = [parseDuration(option.min)!, parseDuration(option.max)!];
      return { inside: [option.min, option.max], outside: [`${minMs - 1}ms`, `${maxMs + 1}ms`] };
    }
    case "size": {
      const [minBytes, maxBytes] = [parseSize(option.min)!, parseSize(option.max)!];
      return { inside: [option.min, option.max], outside: [minBytes - 1, `${maxBytes + 1}B`] };
    }
    case "boolean":
    case "choice":
    case "text":
    case "list":
    case "secret-list":
    case "url":
      return undefined;
  }
}

const BOUNDED = ENTRIES.filter((entry) => boundsOf(entry) !== undefined);

test.each(BOUNDED.map((entry) => [entry.path, entry] as const))("%s keeps its bounds", (_path, entry) => {
  const { inside, outside } = boundsOf(entry)!;
  for (const raw of inside) expect(parseValue(entry.option, raw)).toBeTypeOf("number");
  for (const raw of outside) expect(parseValue(entry.option, raw)).toBeUndefined();
});

test.each(
  ENTRIES.filter(({ option }) => option.kind !== "secret-list").map((entry) => [entry.path, entry] as const),
)("%s accepts its own default", (_path, { option }) => {
  expect(parseValue(option, defaultValueOf(option))).toBeDefined();
});

function defaultValueOf(option: Entry["option"]): unknown {
  if (option.kind === "secret-list") return "";
  if (option.kind === "list" && option.default.length === 0) return option.none;
  const standard = option.default;
  return typeof standard === "object" && "from" in standard
    ? standard.from({ cores: 4, host: "127.0.0.1" })
    : standard;
}

test.each(ENTRIES.map((entry) => [entry.path, entry] as const))(
  "%s refuses what is no value at all",
  (_path, { option }) => {
    for (const raw of [undefined, null, {}, [[]], [1], Number.NaN, Symbol("x")]) {
      expect(parseValue(option, raw)).toBeUndefined();
    }
  },
);

test.each([
  ["port", "8080", 8_080],
  ["port", "80.5", undefined],
  ["port", "0x50", undefined],
  ["port", "", undefined],
  ["requestLog", "yes", true],
  ["requestLog", "OFF", false],
  ["requestLog", false, false],
  ["requestLog", "maybe", undefined],
  ["logLevel", "warn", "warn"],
  ["logLevel", "warning", undefined],
  ["host", "::1", "::1"],
  ["host", "localhost:80/x", undefined],
  ["pathPrefix", "/gw", "/gw"],
  ["pathPrefix", "/gw/eu-1", "/gw/eu-1"],
  ["pathPrefix", "/gw/", undefined],
  ["pathPrefix", "gw", undefined],
  ["pathPrefix", "/../etc", undefined],
  ["pathPrefix", "//gw", undefined],
  [
    "cors.origins",
    "https://a.example, http://localhost:3000",
    ["https://a.example", "http://localhost:3000"],
  ],
  ["cors.origins", ["*"], ["*"]],
  ["cors.origins", "none", []],
  ["cors.origins", "none,*", undefined],
  ["cors.origins", "https://a.example/path", undefined],
  ["cors.origins", "", undefined],
  ["upstream", "https://relay.example/gemini/", "https://relay.example/gemini"],
  ["upstream", "http://127.0.0.1:9000", "http://127.0.0.1:9000"],
  ["upstream", "https://user:pass@relay.example", undefined],
  ["upstream", "https://relay.example/?key=test-key-1", undefined],
  ["upstream", "ftp://relay.example", undefined],
  ["upstream", "relay.example", undefined],
  ["upstream", "", undefined],
  ["proxy", "socks5h://user:pa%40ss@127.0.0.1:1080", "socks5h://user:pa%40ss@127.0.0.1:1080"],
  ["proxy", "http://127.0.0.1:3128/", "http://127.0.0.1:3128"],
  ["proxy", "http://127.0.0.1:3128/path", undefined],
  ["proxy", "", ""],
  ["proxy", "socks9://127.0.0.1:1", undefined],
] as const)("%s: %j becomes %j", (path, raw, value) => {
  expect(parseValue(optionAt(path), raw)).toEqual(value);
});
