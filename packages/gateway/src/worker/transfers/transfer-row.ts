/** The row of an upload or download for the log. Worker threads; pure. */
import type { RequestRow } from "../../request-row.ts";
import type { Admission } from "../admission.ts";
import type { RequestCourse } from "../request-course.ts";
import { rowOf, type RowOutcome } from "../request-record.ts";
import { pathOfRoute } from "./told-path.ts";

export interface FinishedTransfer {
  readonly admission: Admission;
  readonly method: string;
  readonly atMs: number;
  readonly outcome: RowOutcome;
  readonly status: number;
  readonly course: Pick<RequestCourse, "notes" | "reason">;
  /** Bytes of the request's body that have come. */
  readonly bytesIn: number;
  /** What went to the client. */
  readonly reply: { readonly firstByteAtMs: number; readonly bytes: number };
}

export function transferRow({ admission, reply, outcome, course, ...told }: FinishedTransfer): RequestRow {
  const { startedAtMs, requestId, route, caller, address } = admission;
  return rowOf({
    ...told,
    outcome,
    startedAtMs,
    firstByteAtMs: reply.firstByteAtMs,
    requestId,
    path: pathOfRoute(route),
    model: "",
    reason: outcome === "served" ? "" : course.reason,
    notes: course.notes,
    bytesOut: reply.bytes,
    usage: undefined,
    client: caller.name,
    address,
  });
}
