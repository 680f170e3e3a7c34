import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REDACTED, redactKeyShapes, redactSecrets } from "./redact.ts";

const SECRET = 'te"st/key+1=\\é\u{1f511}';

describe("redactSecrets", () => {
  it.each([
    ["as it is", SECRET],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in JSON with slashes escaped", 'te\\"st\\/key+1=\\\\é\u{1f511}'],
    ["in JSON for HTML", 'te\\"st/key+1\\u003d\\\\\\u00E9\\ud83d\\uDD11'],
    ["in a URL", encodeURIComponent(SECRET)],
    ["in a URL, lower case", encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase())],
  ])("finds it %s", (_, form) => {
    expect(redactSecrets(`<${form}> and <${form}>`, [SECRET])).toBe(`<${REDACTED}> and <${REDACTED}>`);
  });

  it("leaves no tail of a secret that another begins", () => {
    expect(redactSecrets("test-key-1-long test-key-1", ["test-key-1", "test-key-1-long"])).toBe(
      `${REDACTED} ${REDACTED}`,
    );
  });

  it("changes nothing else", () => {
    expect(redactSecrets("nothing here", ["test-key-1", ""])).toBe("nothing here");
    expect(redactSecrets("testakey", ["test.key"])).toBe("testakey");
    expect(redactSecrets("text", [])).toBe("text");
  });

  it("takes no half of an escaped backslash with it", () => {
    const quoted = JSON.stringify("\\\\/test-key-1");
    expect(JSON.parse(redactSecrets(quoted, ["/test-key-1"]))).toBe(`\\\\${REDACTED}`);
  });

  it("leaves no secret, whatever is around it", () => {
    const secret = fc.string({
      minLength: 8,
      maxLength: 40,
      unit: fc.constantFrom(...Array.from('abAB01_-.+/=$^(|*[\\"')),
    });
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        const quoted = JSON.stringify(`${before}${value}${after}`);
        expect(redactSecrets(before + value + after, [value])).not.toContain(value);
        expect(JSON.parse(redactSecrets(quoted, [value]))).not.toContain(value);
      }),
    );
  });
});

describe("redactKeyShapes", () => {
  it("removes what looks like a key, and what an error calls one", () => {
    const text = "Consumer 'api_key:whatever-it-is' AQ.FakeFakeFakeFakeFakeFake";
    expect(redactKeyShapes(text)).toBe(`Consumer 'api_key:${REDACTED}' ${REDACTED}`);
    expect(redactKeyShapes("API key not valid.")).toBe("API key not valid.");
  });
});
