/** Entry of an HTTP worker thread. Owns the bytes of its requests; never opens the database, never decides which key. */
import { workerData } from "node:worker_threads";
import type { WorkerStart } from "../protocol.ts";
import { HttpWorker } from "./http-worker.ts";

new HttpWorker(workerData as WorkerStart).start();
