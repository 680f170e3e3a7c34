/** What the front door knows of an upload or download that it lets in. Worker threads; data only. */
import type { Transfer as TransferKind } from "@gemini-gateway/gemini/transfer";
import type { Admission } from "../admission.ts";
import type { Refusal } from "../guard/refusal.ts";

/** Beside what every request is let in with. */
export interface TransferAdmission extends Admission {
  readonly transfer: TransferKind;
  /** Counts a request with a wrong upload id as any other of its address, and says whether it is too many. */
  readonly countWrongId: () => Refusal | undefined;
}
