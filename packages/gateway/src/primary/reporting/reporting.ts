/**
 * What the primary tells of the gateway, and to whom: counts every request, and serves the status to the command line,
 * the status file and, through the workers, `GET /status` and `/metrics`. Primary thread.
 */
import type { HolderId } from "@gemini-gateway/core/lease";
import { Traffic } from "@gemini-gateway/core/traffic/traffic";
import type { Logger } from "pino";
import { NO_STATUS_FILE } from "../../config/section-reports.ts";
import type { GatewayConfig } from "../../config.ts";
import type { RunningStatus } from "../../control/types.ts";
import type { PageContent, PageName, ToWorker } from "../../protocol.ts";
import type { RowList } from "../../row-batch.ts";
import { LoopDelayWatch } from "./loop-delay.ts";
import { Metrics } from "./metrics.ts";
import { PageOffice } from "./page-office.ts";
import { StatusFile } from "./status-file.ts";
import { type ReportSources, statusReport } from "./status-report.ts";

export interface ReportingOptions extends Omit<ReportSources, "traffic" | "loopDelay"> {
  readonly config: () => Pick<GatewayConfig, "status">;
  readonly post: (holder: HolderId, message: ToWorker) => void;
  readonly log: Logger;
}

const MICROSECONDS_PER_SECOND = 1e6;

export class Reporting implements AsyncDisposable {
  readonly #options: ReportingOptions;
  readonly #traffic = new Traffic();
  readonly #metrics = new Metrics();
  readonly #loopDelay = new LoopDelayWatch();
  readonly #pages: PageOffice;
  readonly #file: StatusFile | undefined;

  constructor(options: ReportingOptions) {
    const { config, post, log, now } = options;
    this.#options = options;
    const make = { status: () => this.#statusPage(), metrics: () => this.#metricsPage() };
    this.#pages = new PageOffice({ make, post, log, now });
    const { file: path } = config().status;
    const fileOptions = { path, settings: () => config().status, report: () => this.report(), log, now };
    this.#file = path === NO_STATUS_FILE ? undefined : new StatusFile(fileOptions);
  }

  /** Begins with the status file; once the gateway serves. */
  start(): void {
    this.#file?.start();
  }

  /** Follows another interval of the status file. */
  reschedule(): void {
    this.#file?.reschedule();
  }

  /** Counts requests that ended. */
  record(rows: RowList): void {
    const nowMs = this.#options.now();
    for (let index = 0; index < rows.count; index += 1) {
      const row = rows.row(index);
      this.#traffic.record(row, nowMs);
      this.#metrics.record(row, this.#traffic.labelOf(row.model));
    }
  }

  /** How the gateway fares now. */
  report(): Promise<RunningStatus> {
    return statusReport({ ...this.#options, traffic: this.#traffic, loopDelay: this.#loopDelay });
  }

  /** A worker asks for a page on behalf of a caller. */
  asked(holder: HolderId, page: PageName): void {
    void this.#pages.answer(holder, page);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#loopDelay[Symbol.dispose]();
    await this.#file?.[Symbol.asyncDispose]();
  }

  async #statusPage(): Promise<PageContent> {
    return {
      contentType: "application/json",
      body: `${JSON.stringify(await this.report(), undefined, 2)}\n`,
    };
  }

  async #metricsPage(): Promise<PageContent> {
    const { counters, now } = this.#options;
    const { user, system } = process.cpuUsage();
    const body = await this.#metrics.text({
      report: await this.report(),
      isReady: counters.readiness === "ready",
      cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND,
      nowMs: now(),
    });
    return { contentType: this.#metrics.contentType, body };
  }
}
