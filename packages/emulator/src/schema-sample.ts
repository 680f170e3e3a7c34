/** Makes up a value that fits a JSON schema: arguments of function calls and structured answers. Pure, bounded. */
import { asArray, asObject, asText } from "./json.ts";
import type { JsonObject } from "./json.ts";

const DEPTH_MAX = 8;

/** A value for the schema; strings say `name`, numbers are 1. Types may be written as JSON Schema's or Google's (upper case). */
export function sampleOf(schema: JsonObject, name: string, depth = 0): unknown {
  const choices = asArray(schema["enum"]);
  if (choices.length > 0) return choices[0];
  if (schema["const"] !== undefined) return schema["const"];
  switch (asText(schema["type"])?.toLowerCase()) {
    case "number":
    case "integer":
      return 1;
    case "boolean":
      return true;
    case "array":
      return depth >= DEPTH_MAX ? [] : [sampleOf(asObject(schema["items"]), name, depth + 1)];
    case "object":
      return sampleObject(schema, depth);
    case undefined:
      return schema["properties"] === undefined ? name : sampleObject(schema, depth);
    default:
      return name;
  }
}

function sampleObject(schema: JsonObject, depth: number): unknown {
  if (depth >= DEPTH_MAX) return {};
  const properties = Object.entries(asObject(schema["properties"]));
  return Object.fromEntries(
    properties.map(([name, property]) => [name, sampleOf(asObject(property), name, depth + 1)]),
  );
}
