/** What can be wrong with the bytes of an answer. HTTP workers; the codes stand in the request log. */
export type AnswerFault =
  /** Status line or headers that are none, or that contradict each other. */
  | "ANSWER_HEAD_MALFORMED"
  | "ANSWER_HEAD_TOO_LARGE"
  /** A chunked body that is not framed as one. */
  | "ANSWER_CHUNK_MALFORMED"
  /** 101: nobody asked to speak something else. */
  | "ANSWER_UPGRADED"
  /** Bytes that belong to no request, behind an answer or on a connection that waits for its next. */
  | "ANSWER_UNASKED";
