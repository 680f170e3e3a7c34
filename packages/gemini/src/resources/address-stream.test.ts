import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressStream } from "./address-stream.ts";
import { ADDRESS_KEYS, KEY_BYTES_MAX, withPublicAddresses } from "./public-address.ts";

const GOOGLE = "https://generativelanguage.googleapis.com";
const BASE = "https://gateway.example/gw";
const HELD_BYTES_MAX = KEY_BYTES_MAX + GOOGLE.length + 2;

/** Pushes the bytes cut at these places, each piece in memory that is used again; gives what came out of each. */
function outOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const stream = new AddressStream(GOOGLE, BASE);
  const places = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
  const out = places.slice(1).map((end, index) => {
    const borrowed = Buffer.from(bytes.subarray(places[index], end));
    const sent = Buffer.from(stream.push(borrowed));
    borrowed.fill("#");
    return sent;
  });
  return [...out, stream.end() ?? Buffer.alloc(0)];
}

function changed(bytes: Buffer, cuts: readonly number[]): string {
  return Buffer.concat(outOf(bytes, cuts)).toString();
}

/** What a client should read: the same value, with other addresses in the fields that hold them. */
function asShown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asShown);
  if (typeof value !== "object" || value === null) return value;
  const keys: readonly string[] = ADDRESS_KEYS;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [
      key,
      typeof held === "string" && keys.includes(key) && held.startsWith(`${GOOGLE}/`)
        ? BASE + held.slice(GOOGLE.length)
        : asShown(held),
    ]),
  );
}

const address = fc.stringMatching(/^[a-z0-9/:?=%]{0,20}$/).map((rest) => `${GOOGLE}/v1beta/files/${rest}`);
const decoy = fc.constantFrom(
  "https://www.youtube.com/watch?v=x",
  `${GOOGLE}.example/v1beta/files/a`,
  `"uri": "${GOOGLE}/v1beta/files/a"`,
  `\\"uri\\":"${GOOGLE}/`,
  '"fileUri":"https://generativelanguage.goo',
  "uri",
  '"',
  "\\",
  "ü\u2028",
);
const key = fc.constantFrom<string>(...ADDRESS_KEYS, "text", "url", "Uri", "x uri");
const object = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  object: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  value: fc.oneof({ maxDepth: 3 }, address, decoy, fc.integer(), tie("object"), fc.array(tie("value"))),
})).object;
/** JSON as Google writes it: bare, with a space after each colon, or indented. */
const style = fc.constantFrom<(value: unknown) => string>(
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, undefined, 1).replaceAll(/\n */g, " "),
  (value) => JSON.stringify(value, undefined, 2),
);
const cutsOf = fc.array(fc.nat(), { maxLength: 30 });

function at(bytes: Buffer, cuts: readonly number[]): number[] {
  return cuts.map((cut) => cut % (bytes.length + 1));
}

describe("addresses of files in an answer that comes in pieces", () => {
  it("are the gateway's in what its client reads, and nothing else is changed", () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), style, cutsOf, (events, write, cuts) => {
        const bytes = Buffer.from(`[${events.map(write).join("\r\n,\r\n")}]`);
        expect(JSON.parse(changed(bytes, at(bytes, cuts)))).toEqual(asShown(events));
      }),
      { numRuns: 500 },
    );
  });

  it("are the same however it is cut, to a single byte, and little is held back", () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), style, cutsOf, (events, write, cuts) => {
        const bytes = Buffer.from(events.map((event) => `data: ${write(event)}\r\n\r\n`).join(""));
        const whole = withPublicAddresses(bytes, GOOGLE, BASE).toString("latin1");
        for (const places of [at(bytes, cuts), Array.from(bytes.keys())]) {
          const out = outOf(bytes, places);
          const ends = [...places.toSorted((one, other) => one - other), bytes.length];
          let sent = "";
          for (const [index, end] of ends.entries()) {
            sent += out[index]?.toString("latin1");
            const due = withPublicAddresses(bytes.subarray(0, end), GOOGLE, BASE).length;
            expect(due - sent.length).toBeLessThanOrEqual(HELD_BYTES_MAX);
            expect(whole.startsWith(sent)).toBe(true);
          }
          expect(sent + out.at(-1)?.toString("latin1")).toBe(whole);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("are found behind any cut, in an event of any length", () => {
    const event = `data: {"parts": [{"inlineData": {"data": "${"A".repeat(300_000)}"}},{"fileData": {"fileUri": "${GOOGLE}/v1beta/files/a"}}]}\r\n\r\n`;
    const bytes = Buffer.from(event);
    const expected = event.replace(GOOGLE, BASE);
    for (let cut = event.indexOf('"fileData'); cut <= bytes.length; cut += 1)
      expect(changed(bytes, [cut]) === expected).toBe(true);
  });

  it("hold back nothing at the end of an event, and hand on the same memory when there is nothing to change", () => {
    const stream = new AddressStream(GOOGLE, BASE);
    const pieces = [
      '{"uri": "files/a"}\r\n\r\n',
      "\n,\r\n",
      '{"uri": "https://www.',
      ": here\n\n",
      "[DONE]\n\n",
    ];
    for (const piece of pieces) {
      const chunk = Buffer.from(piece);
      expect(stream.push(chunk)).toBe(chunk);
    }
    expect(stream.end()).toBeUndefined();
  });

  it("come out as they came when the answer breaks off in one", () => {
    const stream = new AddressStream(GOOGLE, BASE);
    const begun = `"file_uri" :\n "${GOOGLE}`;
    expect(stream.push(Buffer.from(`{${begun}`)).toString()).toBe("{");
    expect(stream.end()?.toString()).toBe(begun);
    expect(stream.end()).toBeUndefined();
  });
});
