/**
 * Lint rules of this repository that oxlint does not have built in. Loaded by oxlint into its own Node process; it
 * reads only the syntax tree it is given.
 */
import { relative, sep } from "node:path";
import { refusalOf } from "./layers.ts";

/** The few parts of an ESTree node these rules look at. */
interface SyntaxNode {
  readonly type: string;
  readonly source?: SyntaxNode | null;
  readonly value?: unknown;
  readonly callee?: SyntaxNode;
  readonly name?: string;
  readonly arguments?: readonly SyntaxNode[];
}

interface RuleContext {
  readonly filename: string;
  report(finding: { readonly message: string; readonly node: SyntaxNode }): void;
}

type Visitor = Readonly<Record<string, (node: SyntaxNode) => void>>;

/** Two folders up from this file: the repository, or the copy of it a test has made. */
const ROOT = new URL("../..", import.meta.url).pathname;

/** Refuses an import through a layer wall; see layers.ts. */
const layers = {
  create(context: RuleContext): Visitor {
    const fromPath = relative(ROOT, context.filename).split(sep).join("/");
    const check = (node: SyntaxNode): void => {
      const specifier = node.source?.value;
      if (typeof specifier !== "string") return;
      const refusal = refusalOf(fromPath, specifier);
      if (refusal !== undefined)
        context.report({ message: `"${specifier}" is behind a wall: ${refusal}`, node });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

/** Refuses `new Date()` and `Date()`, which read the clock; `new Date(nowMs)` only converts and stays allowed. */
const noAmbientDate = {
  create(context: RuleContext): Visitor {
    const check = (node: SyntaxNode): void => {
      const isDate = node.callee?.type === "Identifier" && node.callee.name === "Date";
      const readsClock = node.type === "CallExpression" || node.arguments?.length === 0;
      if (isDate && readsClock)
        context.report({ message: "The clock comes in as nowMs: no Date of now here", node });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

/** Refuses a file that passes on another's exports: a reader should find a name where it is defined. */
const noReexport = {
  create(context: RuleContext): Visitor {
    const check = (node: SyntaxNode): void => {
      if (node.source) context.report({ message: "No barrels: import it from where it is defined", node });
    };
    return { ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

// oxlint asks for the default export.
export default {
  meta: { name: "walls" },
  rules: { layers, "no-ambient-date": noAmbientDate, "no-reexport": noReexport },
};
