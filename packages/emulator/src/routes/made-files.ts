/** Files that a model makes with its answer: a prompt that says `make 2 files` is answered with their addresses, too. */
import type { FileData } from "../answer.ts";
import type { RouteContext } from "./context.ts";
import { intakeOf, keepFile } from "./files.ts";

const FILES_MAX = 10;
const MIME_TYPE = "text/plain";

/** Makes what the prompt asks for, in the caller's project. */
export function filesAsked(context: RouteContext, promptText: string): readonly FileData[] {
  const asked = Number(/\bmake (\d{1,2}) files?\b/i.exec(promptText)?.[1] ?? 0);
  return Array.from({ length: Math.min(FILES_MAX, asked) }, (_, index) => {
    const content = Buffer.from(`made file ${index + 1} of project ${context.project.name}`);
    const file = keepFile(context, {
      mimeType: MIME_TYPE,
      source: "GENERATED",
      intake: intakeOf(context, content),
    });
    return { mimeType: MIME_TYPE, fileUri: context.links.fileUri(file.name) };
  });
}
