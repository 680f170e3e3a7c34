import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type PythonValue, readPythonConfig } from "./python-config.ts";

function valuesOf(text: string): Record<string, PythonValue> {
  return Object.fromEntries(readPythonConfig(text).settings.map(({ name, value }) => [name, value]));
}

test.each([
  ["A = 'x'", "x"],
  ['A = "it\'s"  # a comment = 3', "it's"],
  ["A = r'a\\n'", "a\\n"],
  ["A = 'a\\n\\x41\\u0042'", "a\nAB"],
  ["A = '''one\n# two\n'''", "one\n# two\n"],
  ["A = ('one '\n     'two')", "one two"],
  ["A = 12 * 60 * 60", 43_200],
  ["A = 1_000 + 2 * (3 - 1)", 1_004],
  ["A = -0.5", -0.5],
  ["A = 0x10 // 3", 5],
  ["A: int = 7", 7],
  ["A = True", true],
  ["A = None", null],
  ["A = [1, 'b', [2,],]", [1, "b", [2]]],
  ["A = 1, 2", [1, 2]],
  ["A = ()", []],
  ["A = (1,)", [1]],
  ["A = {'a', 'b'}", ["a", "b"]],
  ["A = 1 + \\\n 2", 3],
  ["B = 60\nA = B * 2", 120],
  ["A = 1; B = 2", 1],
  ["A = 1\nA = 2", 2],
])("%j sets A", (text, value) => {
  expect(valuesOf(text)["A"]).toEqual(value);
});

test("a mapping over several lines is read with its comments left out", () => {
  const text = "TEST = {\n    200: 12 * 3600,  # half a day\n    '4xx': 86400,\n    403: 10,\n}\n";
  expect(valuesOf(text)["TEST"]).toEqual(
    new Map([
      ["200", 43_200],
      ["4xx", 86_400],
      ["403", 10],
    ]),
  );
});

test("settings of a class count, what is computed is named by its line, and nothing is run", () => {
  const text = [
    '"""Settings."""',
    "import os",
    "PORT = int(os.environ.get('PORT', 5000))",
    "class Config:",
    "    HOST = '0.0.0.0'",
    "    def path(self):",
    "        SECRET = 'not a setting'",
    "if os.name == 'nt':",
    "    HOST = 'elsewhere'",
    "URL = f'http://{PORT}'",
    "print('hello')",
    "AUTH_KEY = 'k'",
  ].join("\n");
  const { settings, notUnderstood } = readPythonConfig(text);
  expect(settings.map(({ name, line }) => [name, line])).toEqual([
    ["HOST", 5],
    ["AUTH_KEY", 12],
  ]);
  expect(notUnderstood).toEqual([
    { line: 3, what: "PORT" },
    { line: 6, what: "def" },
    { line: 8, what: "if" },
    { line: 10, what: "URL" },
    { line: 11, what: "print" },
  ]);
});

test("any text is read without an error, in time", () => {
  const piece = fc.constantFrom(
    "A",
    " = ",
    "'",
    '"""',
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    ":",
    "\\",
    "\n",
    "#",
    "1",
    "-",
    "\t",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join("")),
      ),
      (text) => {
        expect(readPythonConfig(text).settings.length).toBeGreaterThanOrEqual(0);
      },
    ),
  );
  expect(readPythonConfig(`A = ${"[".repeat(100_000)}`).settings).toEqual([]);
});

test("every list of texts and numbers is read as Python writes it", () => {
  const item = fc.oneof(fc.integer(), fc.stringMatching(/^[ -~]{0,20}$/));
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const written = items
        .map((one) => (typeof one === "number" ? String(one) : JSON.stringify(one)))
        .join(", ");
      expect(valuesOf(`A = [${written}]`)["A"]).toEqual(items);
    }),
  );
});
