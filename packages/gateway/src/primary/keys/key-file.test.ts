import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelLine, normalLabel, parseKeyFile, parseKeyFileInSteps, withoutKeys } from "./key-file.ts";

const secretsOf = (text: string): string[] => parseKeyFile(text).entries.map(({ secret }) => secret);

describe("keys", () => {
  test("are split on line ends, spaces, tabs and commas", () => {
    expect(
      secretsOf("test-key-1 test-key-2\ttest-key-3,test-key-4\r\ntest-key-5,, test-key-6\rtest-key-7\n"),
    ).toEqual([1, 2, 3, 4, 5, 6, 7].map((number) => `test-key-${number}`));
  });

  test("may follow a byte order mark, and lack a last line end", () => {
    expect(parseKeyFile("\uFEFFtest-key-1\r\ntest-key-2")).toEqual({
      entries: [
        { secret: "test-key-1", line: 1 },
        { secret: "test-key-2", line: 2 },
      ],
      refused: [],
      refusedCount: 0,
      tidied: "test-key-1\ntest-key-2\n",
    });
  });

  test("lose the quotes of the list they were pasted from", () => {
    expect(secretsOf("\"test-key-1\",\n'test-key-2', `test-key-3`")).toEqual([
      "test-key-1",
      "test-key-2",
      "test-key-3",
    ]);
  });

  test("in a comment are no keys", () => {
    expect(secretsOf("# test-key-1\ntest-key-2 # test-key-3\ntest-key-4#test-key-5")).toEqual([
      "test-key-2",
      "test-key-4",
    ]);
  });
});

describe("a large file", () => {
  const ITEMS = 10_000;
  const keys = Array.from({ length: ITEMS }, (_, index) => `test-key-${index}`);
  const shapes: Readonly<Record<string, string>> = {
    "one key a line": keys.join("\n"),
    "two keys a line": keys.join(" ").replaceAll(/(\S+ \S+) /g, "$1\n"),
    "one long line": keys.join(","),
    "comments alone": keys.map((key) => `# ${key}`).join("\r\n"),
    "empty lines": "\n".repeat(ITEMS),
  };
  test.each(Object.entries(shapes))("of %s is read in steps of a bounded size", (_, text) => {
    const steps = [...parseKeyFileInSteps(text)];
    expect(steps.length).toBeGreaterThanOrEqual(ITEMS / 200 - 1);
  });
});

describe("labels", () => {
  test("hold for the keys below, until the next or an empty one", () => {
    const text =
      "test-key-0\n# project: team a\ntest-key-1\n#Project:b # note\ntest-key-2\n# project:\ntest-key-3\n";
    expect(parseKeyFile(text).entries).toEqual([
      { secret: "test-key-0", line: 1 },
      { secret: "test-key-1", project: "team a", line: 3 },
      { secret: "test-key-2", project: "b", line: 5 },
      { secret: "test-key-3", line: 7 },
    ]);
  });

  test("stand on a line of their own", () => {
    expect(parseKeyFile("test-key-1 # project: a\ntest-key-2").entries.map(({ project }) => project)).toEqual(
      [undefined, undefined],
    );
  });

  test("are written as they are read", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const label = normalLabel(name);
        expect(parseKeyFile(`${labelLine(label)}\ntest-key-1`).entries[0]?.project).toBe(label);
        expect(parseKeyFile(`${labelLine(label)}\n`).lastProject).toBe(label);
      }),
    );
  });
});

describe("tidying", () => {
  test("makes one key a line and keeps comments, labels, blank lines and refused words in place", () => {
    const text =
      "\uFEFF# my keys\r\n\r\ntest-key-1, test-key-2   # bought in May\r\n# project: A\r\nYOUR_API_KEY  and prose, as it was\r\n" +
      "tiny test-key-3\r\n";
    expect(parseKeyFile(text).tidied).toBe(
      "# my keys\n\ntest-key-1\ntest-key-2 # bought in May\n# project: A\nYOUR_API_KEY  and prose, as it was\n" +
        "tiny\ntest-key-3\n",
    );
  });

  test("leaves an empty file empty", () => {
    expect(parseKeyFile("").tidied).toBe("");
  });

  test("is idempotent and changes nothing of what is read", () => {
    fc.assert(
      fc.property(keyFiles, (text) => {
        const before = parseKeyFile(text);
        const after = parseKeyFile(before.tidied);
        expect(after.tidied).toBe(before.tidied);
        expect(placesOf(after)).toEqual(placesOf(before));
        expect(after.refused.map(({ reason }) => reason)).toEqual(before.refused.map(({ reason }) => reason));
        expect(after.lastProject).toBe(before.lastProject);
      }),
      { numRuns: 500 },
    );
  });

  test("loses no character but separators and quotes", () => {
    const essence = (text: string): string => text.replace(/[\s,"'`\uFEFF]/g, "");
    fc.assert(
      fc.property(keyFiles, (text) => {
        expect(essence(parseKeyFile(text).tidied)).toBe(essence(text));
      }),
      { numRuns: 500 },
    );
  });
});

describe("removing keys", () => {
  test("keeps their comments, which never become labels", () => {
    const text =
      "test-key-1 # old\ntest-key-2 test-key-3 # two\n  # kept\ntest-key-4 # project: b\ntest-key-5\n";
    expect(withoutKeys(text, new Set(["test-key-1", "test-key-3", "test-key-4"]))).toBe(
      "# old\ntest-key-2 # two\n# kept\n# # project: b\ntest-key-5\n",
    );
  });

  test("removes those and no others", () => {
    fc.assert(
      fc.property(keyFiles, fc.subarray([...SECRETS]), (text, secrets) => {
        const removed = new Set<string>(secrets);
        const kept = placesOf(parseKeyFile(text)).filter(({ secret }) => !removed.has(secret));
        expect(placesOf(parseKeyFile(withoutKeys(text, removed)))).toEqual(kept);
      }),
      { numRuns: 500 },
    );
  });
});

test("refusals are counted beyond those listed", () => {
  const { refused, refusedCount } = parseKeyFile("tiny\n".repeat(250));
  expect(refused).toHaveLength(100);
  expect(refused[0]).toEqual({ line: 1, reason: "shorter than 8 characters" });
  expect(refusedCount).toBe(250);
});

test("a line of many thousand keys is read", () => {
  const line = Array.from({ length: 200_000 }, (_, index) => `test-key-${index}`).join(",");
  expect(parseKeyFile(line).entries).toHaveLength(200_000);
});

const SECRETS = ["test-key-1", "test-key-2", "AIzaFakeKey001", "AQ.FakeKey_2"] as const;
const pieces = fc.oneof(
  fc.constantFrom(...SECRETS),
  fc.constantFrom(" ", "\t", ",", ", ", "\n", "\r\n", "\r", "\n\n"),
  fc.constantFrom("# note", "#", "# project: a\n", "\n# project: b # c\n", "# project:", "\n#project :  "),
  fc.constantFrom(
    "YOUR_API_KEY",
    "<your key>",
    '"',
    "'test-key-3'",
    '""',
    "tiny",
    "KEY=1234567",
    "\uFEFF",
    "é",
  ),
  fc.string({ maxLength: 12 }),
);
const keyFiles = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(""));

function placesOf(
  parsed: ReturnType<typeof parseKeyFile>,
): { secret: string; project: string | undefined }[] {
  return parsed.entries.map(({ secret, project }) => ({ secret, project }));
}
