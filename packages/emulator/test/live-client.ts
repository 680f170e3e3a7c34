/** A Live client for the emulator's own tests: the platform's WebSocket, its messages and its end as promises. */
import type { Emulator } from "../src/emulator.ts";
import { ALPHA } from "./projects.ts";
import type { Json } from "./projects.ts";

const SERVICE = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
export const LIVE_MODEL = "models/gemini-live-2.5-flash-preview";
export const LIVE_PATH = `${SERVICE}?key=${ALPHA}`;
export const CONSTRAINED_PATH = SERVICE.replace("v1beta", "v1alpha").replace("Content", "ContentConstrained");

export interface Ended {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export class LiveClient {
  readonly #socket: WebSocket;
  readonly #messages: Json[] = [];
  #wake: () => void = () => {};
  /** True when every message came in a binary frame. */
  allBinary = true;
  readonly ended: Promise<Ended>;
  readonly opened: Promise<void>;

  constructor(emulator: Emulator, path: string = LIVE_PATH, headers: Readonly<Record<string, string>> = {}) {
    const url = `${emulator.url.replace("http", "ws")}${path}`;
    this.#socket = new WebSocket(url, { headers });
    this.#socket.binaryType = "arraybuffer";
    this.opened = new Promise((resolve, reject) => {
      this.#socket.addEventListener("open", () => resolve());
      this.#socket.addEventListener("error", () => reject(new Error("refused")));
    });
    this.opened.catch(() => {});
    this.ended = new Promise((resolve) => {
      this.#socket.addEventListener("close", ({ code, reason, wasClean }) =>
        resolve({ code, reason, wasClean }),
      );
    });
    this.#socket.addEventListener("message", ({ data }) => {
      this.allBinary &&= typeof data !== "string";
      this.#messages.push(JSON.parse(Buffer.from(data as ArrayBuffer).toString("utf8")) as Json);
      this.#wake();
    });
  }

  async send(message: object): Promise<void> {
    await this.opened;
    this.#socket.send(JSON.stringify(message));
  }

  /** The next message that has this field; those before it are passed over. */
  async next(field: string): Promise<Json> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined && field in message) return message;
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Sets the session up and waits until it is. */
  async setUp(more: object = {}): Promise<void> {
    await this.send({
      setup: { model: LIVE_MODEL, generationConfig: { responseModalities: ["TEXT"] }, ...more },
    });
    await this.next("setupComplete");
  }

  /** Says something and gives the model's whole text. */
  async say(text: string): Promise<string> {
    await this.send({ clientContent: { turns: [{ role: "user", parts: [{ text }] }], turnComplete: true } });
    return this.heard();
  }

  /** The text of the turn that comes. */
  async heard(): Promise<string> {
    let said = "";
    for (;;) {
      const { serverContent } = await this.next("serverContent");
      const { modelTurn, turnComplete } = serverContent as {
        modelTurn?: { parts: { text?: string }[] };
        turnComplete?: boolean;
      };
      said += (modelTurn?.parts ?? []).map((part) => part.text ?? "").join("");
      if (turnComplete === true) return said;
    }
  }

  close(): void {
    this.#socket.close();
  }
}
