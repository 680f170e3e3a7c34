/**
 * The configuration file as a JSON Schema, for completion and checks in editors. Pure; run by scripts/generate-docs.ts.
 * Draft 7, because that is what editors support for YAML as well. It checks forms; the bounds of durations and sizes
 * that stand as texts are left to the gateway.
 */
import { DURATION_PATTERN, parseDuration } from "./duration.ts";
import { defaultOf, expectationOf } from "./expectation.ts";
import type { Option, Schema, Section } from "./option.ts";
import { LIST_ITEMS_MAX } from "./parse-value.ts";
import { parseSize, SIZE_PATTERN } from "./size.ts";

type Json = Readonly<Record<string, unknown>>;

const MS_PER_SECOND = 1000;

/** The JSON Schema of a file with the options of `schema`. */
export function jsonSchemaOf(schema: Schema): Json {
  const properties = propertiesOf(schema);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of Gemini Gateway",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string", description: "Where this schema is, for editors." },
      ...properties,
    },
  };
}

function propertiesOf(nodes: Readonly<Record<string, Option | Section>>): Json {
  const inFile = Object.entries(nodes).filter(([, node]) => node.kind === "section" || node.inFile !== false);
  return Object.fromEntries(
    inFile.map(([name, node]) => [name, node.kind === "section" ? sectionSchema(node) : optionSchema(node)]),
  );
}

/** A section or option whose lines are all commented out is null, which counts as not given. */
function sectionSchema(section: Section): Json {
  return {
    description: section.title,
    type: ["object", "null"],
    additionalProperties: false,
    properties: propertiesOf(section.options),
  };
}

function optionSchema(option: Option): Json {
  const standard = defaultOf(option);
  const rule = standard === "" ? "" : ` Default: ${standard}.`;
  return { description: `${option.manual}${rule}`, anyOf: [...formsOf(option), { type: "null" }] };
}

/** What may stand in the file; the gateway also takes numbers and booleans that stand as texts. */
function formsOf(option: Option): readonly Json[] {
  switch (option.kind) {
    case "integer":
      return [{ type: "integer", minimum: option.min, maximum: option.max }];
    case "number":
      return [{ type: "number", minimum: option.min, maximum: option.max }];
    case "duration":
      return [
        { type: "string", pattern: DURATION_PATTERN, description: expectationOf(option) },
        {
          type: "number",
          minimum: seconds(option.min),
          maximum: seconds(option.max),
          description: "Seconds",
        },
        ...(option.endless === undefined ? [] : [{ const: option.endless }]),
      ];
    case "size":
      return [
        { type: "string", pattern: SIZE_PATTERN, description: expectationOf(option) },
        {
          type: "integer",
          minimum: parseSize(option.min),
          maximum: parseSize(option.max),
          description: "Bytes",
        },
      ];
    case "boolean":
      return [{ type: "boolean" }];
    case "choice":
      return [{ enum: option.choices }];
    case "text":
      return [
        { type: "string", pattern: option.pattern.source, description: expectationOf(option) },
        ...(option.orNumber === true ? [{ type: "number" }] : []),
      ];
    case "list":
    case "secret-list":
      return [
        { type: "string", description: expectationOf(option) },
        { type: "array", items: { type: "string" }, minItems: 1, maxItems: LIST_ITEMS_MAX },
      ];
    case "url":
      return [{ type: "string", description: expectationOf(option) }];
  }
}

function seconds(text: string): number {
  return (parseDuration(text) ?? 0) / MS_PER_SECOND;
}
