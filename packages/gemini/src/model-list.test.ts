import { describe, expect, it } from "vitest";
import {
  modelsIn,
  NATIVE_MODELS,
  OPENAI_MODELS,
  unionOfModels,
  withAliases,
  writeModelList,
} from "./model-list.ts";

const native = (...names: string[]): { name: string; displayName: string }[] =>
  names.map((name) => ({ name: `models/${name}`, displayName: `The ${name}` }));

describe("the list of models", () => {
  it("is the union, without what no project may use, in the order of the projects", () => {
    const union = unionOfModels(NATIVE_MODELS, [
      { models: native("a", "b", "c"), closed: ["b", "c"] },
      { models: native("c", "a", "d"), closed: ["d"] },
    ]);
    expect(union).toEqual(native("a", "c"));
  });

  it("passes over what has no name", () => {
    expect(unionOfModels(OPENAI_MODELS, [{ models: [{}, { id: 1 }, { id: "x" }], closed: [] }])).toEqual([
      { id: "x" },
    ]);
  });

  it("has aliases in the words of their models", () => {
    const aliases = new Map([
      ["gpt", "a"],
      ["b", "a"],
      ["gone", "nowhere"],
    ]);
    expect(withAliases(NATIVE_MODELS, native("a", "b"), aliases)).toEqual([
      ...native("a"),
      { name: "models/gpt", displayName: "gpt" },
      { name: "models/b", displayName: "b" },
    ]);
    expect(withAliases(OPENAI_MODELS, [{ id: "models/a" }], aliases)).toEqual([
      { id: "models/a" },
      { id: "gpt" },
      { id: "b" },
    ]);
  });

  it("is read and written in either form, and is nothing else", () => {
    for (const form of [NATIVE_MODELS, OPENAI_MODELS]) {
      expect(modelsIn(form, writeModelList(form, [{ id: "a" }]))).toEqual([{ id: "a" }]);
      for (const text of ["", "[]", "null", "{}", '{"models":{}}', "<html>"])
        expect(modelsIn(form, Buffer.from(text))).toBeUndefined();
    }
    expect(JSON.parse(writeModelList(OPENAI_MODELS, []).toString())).toEqual({ object: "list", data: [] });
  });
});
