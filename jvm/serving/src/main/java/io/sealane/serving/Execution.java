package io.sealane.serving;

/**
 * The run that answered a request: when it was, by {@link System#nanoTime}, and what it took, in
 * nanoseconds. The phases follow each other: queue, gather, run, part.
 *
 * @param arrived when the request began to wait
 * @param started when a worker took it
 * @param gather putting the inputs of several requests together; 0 where it ran alone
 * @param run in the engine
 * @param part taking the outputs apart again; 0 where it ran alone
 * @param rows rows of the run; 1 where the model has no batch dim
 * @param requests how many requests it answered
 */
public record Execution(
    long arrived, long started, long gather, long run, long part, long rows, int requests) {
  /** Nanoseconds that the request waited. */
  public long queue() {
    return started - arrived;
  }
}
