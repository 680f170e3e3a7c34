/** What the bench asks of its upstream, the emulator in a process of its own. Plain data; one order at a time. */
import type { EmulatorOptions } from "gemini-emulator";
import type { FaultRule } from "gemini-emulator/fault-rules";

export type UpstreamOrder =
  /** Starts listening; answered with the URL. Once. */
  | { readonly kind: "start"; readonly options: Pick<EmulatorOptions, "projects" | "models" | "minimal"> }
  /**
   * Answered with the number of unary generations since the start, without the gateway's own tests of its keys. Not known
   * in minimal mode, which keeps no calls: 0.
   */
  | { readonly kind: "count" }
  /** From now on these faults happen. */
  | { readonly kind: "faults"; readonly rules: readonly FaultRule[] }
  /** These projects have no quota left today, and of all other calls this share (0..1) is answered with 503. */
  | { readonly kind: "storm"; readonly exhausted: readonly string[]; readonly overloadedShare: number };
