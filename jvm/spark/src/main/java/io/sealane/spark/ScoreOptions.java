package io.sealane.spark;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.spark.rows.OnError;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a data set is scored. Immutable.
 *
 * @param bundle a path, which the driver reads and ships, or a URI, which each executor reads; of a
 *     bundle, or of a folder of bundles, of which the newest version is taken
 * @param inputs for each input its column, or the scalar columns of its elements; inputs that are
 *     left out have a column of their own name
 * @param struct a struct column whose fields are the inputs, or null
 * @param outputs the outputs wanted; all when empty
 * @param engine the engine on the executors, or null for the best one that is there
 * @param onError what becomes of rows that can not be scored
 * @param into the score column's name; the error column's ends in {@code _error}
 * @param batchSize how many rows run at once, at most
 */
public record ScoreOptions(
    String bundle,
    Map<String, List<String>> inputs,
    @Nullable String struct,
    List<String> outputs,
    @Nullable String engine,
    OnError onError,
    String into,
    int batchSize) {
  /** Rows that run at once when nothing else is said. */
  public static final int BATCH_SIZE = 1024;

  private static final int MOST = 1 << 20;

  /**
   * Copies the collections.
   *
   * @throws SealaneException INPUT_SHAPE for a batch size outside 1 to 2^20
   */
  public ScoreOptions {
    Map<String, List<String>> copy = new LinkedHashMap<>();
    inputs.forEach((name, columns) -> copy.put(name, List.copyOf(columns)));
    inputs = copy;
    outputs = List.copyOf(outputs);
    if (batchSize < 1 || batchSize > MOST) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE, "batch size: expected 1 to " + MOST + ", received " + batchSize);
    }
  }

  /** The defaults for a bundle. */
  public static ScoreOptions of(String bundle) {
    return new ScoreOptions(
        bundle, Map.of(), null, List.of(), null, OnError.QUARANTINE, "score", BATCH_SIZE);
  }

  /** The names of the columns that scoring adds. */
  public List<String> added() {
    return onError == OnError.QUARANTINE ? List.of(into, into + "_error") : List.of(into);
  }
}
