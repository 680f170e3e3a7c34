/** Asks the primary which projects a list is to be asked of, and hands out its answers. Worker threads. */
import type { ProjectsAsk, ProjectsTold } from "../../affinity/project-messages.ts";

export class ProjectDesk {
  readonly #post: (message: ProjectsAsk) => void;
  /** By number; at most one for each request in progress. */
  readonly #waiting = new Map<number, (told: ProjectsTold) => void>();
  #lastId = 0;

  constructor(post: (message: ProjectsAsk) => void) {
    this.#post = post;
  }

  /** `told` is called once, unless the process ends first. */
  ask(question: Omit<ProjectsAsk, "type" | "id">, told: (answer: ProjectsTold) => void): void {
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, told);
    this.#post({ type: "projects.ask", id: this.#lastId, ...question });
  }

  hear(answer: ProjectsTold): void {
    const told = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    told?.(answer);
  }
}
