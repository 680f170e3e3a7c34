/** Reads Prometheus's text format: strictly, with the Prometheus project's own parser, or one value at a glance. */
import { execFile, spawnSync } from "node:child_process";

/** Debian's, for which `apt-get install python3-prometheus-client` installs the parser. */
const PYTHON = "/usr/bin/python3";
const PROGRAM = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
    {"name": family.name, "type": family.type, "help": family.documentation,
     "samples": [{"name": s.name, "labels": s.labels, "value": str(s.value)} for s in family.samples]}
    for family in text_string_to_metric_families(sys.stdin.read())]))`;

export const hasPrometheusParser = spawnSync(PYTHON, ["-c", "import prometheus_client.parser"]).status === 0;

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
  }[];
}

/** Every metric of a page; rejects when the parser does not understand it. */
export function parsePrometheus(page: string): Promise<readonly Family[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Family[]>();
  const child = execFile(PYTHON, ["-c", PROGRAM], (error, stdout) => {
    if (error === null) resolve(JSON.parse(stdout) as readonly Family[]);
    else reject(error);
  });
  child.stdin?.end(page);
  return promise;
}

/** The value of one line, such as `gemini_gateway_workers{state="serving"}`; NaN when there is no such line. */
export function metric(page: string, line: string): number {
  const found = page.split("\n").find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1));
}
