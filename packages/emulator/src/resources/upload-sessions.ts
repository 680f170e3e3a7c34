/**
 * Resumable uploads under way: who began them, for what, and how far they are (gemini-wire.md 1.4). The id in the URL
 * is the only credential of what follows. Runs on the emulator's thread; bounded.
 */
import { randomBytes } from "node:crypto";
import type { JsonObject } from "../json.ts";
import { ByteIntake } from "./byte-intake.ts";
import type { KeptBytes } from "./byte-intake.ts";

/** Uploads remembered, finished ones included; the oldest is forgotten. */
export const UPLOAD_SESSIONS_MAX = 10_000;
/** Chunks but the last are multiples of this, bytes. */
export const CHUNK_GRANULARITY_BYTES = 256 * 1024;

/** What becomes of the bytes when they are all there. */
export type UploadPurpose =
  | { readonly kind: "file"; readonly metadata: JsonObject }
  | { readonly kind: "document"; readonly store: string; readonly config: JsonObject }
  | { readonly kind: "environment-file"; readonly environment: string; readonly path: string };

export interface UploadSession {
  readonly id: string;
  /** Name of the project. */
  readonly owner: string;
  readonly purpose: UploadPurpose;
  readonly mimeType: string;
  /** What the start said will come; undefined when it did not. */
  readonly declaredBytes: number | undefined;
  readonly fileName: string | undefined;
  readonly intake: ByteIntake;
  status: "active" | "final" | "cancelled";
  /** True while a request brings bytes. */
  isReceiving: boolean;
  /** The final body, kept so that a repeated finalize gets it again. */
  result: unknown;
}

export type UploadStart = Pick<
  UploadSession,
  "owner" | "purpose" | "mimeType" | "declaredBytes" | "fileName"
>;

export class UploadSessions {
  readonly #kept: KeptBytes;
  readonly #sessions = new Map<string, UploadSession>();

  constructor(kept: KeptBytes) {
    this.#kept = kept;
  }

  start(start: UploadStart): UploadSession {
    const id = `AEmulated${randomBytes(48).toString("base64url")}`;
    const session: UploadSession = {
      ...start,
      id,
      intake: new ByteIntake(this.#kept),
      status: "active",
      isReceiving: false,
      result: undefined,
    };
    this.#sessions.set(id, session);
    if (this.#sessions.size > UPLOAD_SESSIONS_MAX) this.#forgetOldest();
    return session;
  }

  of(id: string): UploadSession | undefined {
    return this.#sessions.get(id);
  }

  #forgetOldest(): void {
    const [oldest] = this.#sessions.values();
    if (oldest === undefined) return;
    if (oldest.status === "active") oldest.intake.drop();
    this.#sessions.delete(oldest.id);
  }
}
