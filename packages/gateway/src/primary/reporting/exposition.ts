/** Prometheus's text format for metrics that we count ourselves. Primary thread; pure. */

/** One value with the labels it stands under, in their order. */
export interface TextSample {
  /** What follows the name of the metric, such as `_bucket`. */
  readonly suffix?: "_bucket" | "_sum" | "_count";
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface TextMetric {
  readonly name: string;
  /** One line. */
  readonly help: string;
  readonly type: "counter" | "histogram";
  readonly samples: readonly TextSample[];
}

/** The metric with its help, type and values, each in a line. */
export function metricText({ name, help, type, samples }: TextMetric): string {
  const lines = samples.map(
    ({ suffix = "", labels, value }) => `${name}${suffix}{${labelsText(labels)}} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
