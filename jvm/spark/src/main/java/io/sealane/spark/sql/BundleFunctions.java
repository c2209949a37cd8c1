package io.sealane.spark.sql;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.spark.exec.ScoreSpec;
import io.sealane.spark.model.BundleStore;
import io.sealane.spark.rows.ColumnRules;
import io.sealane.spark.rows.OnError;
import io.sealane.spark.rows.ScorePlan;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The bundles of one repository as functions.
 *
 * @param repository a path or URI of a folder in which each bundle, or folder of versions, has a
 *     folder named as the function is
 * @param batchSize how many rows run at once, at most
 */
public record BundleFunctions(String repository, int batchSize) implements Serializable {
  /**
   * The bundle of that name as a function of a struct.
   *
   * @throws SealaneException a code of the bundle family; of the input family when the struct does
   *     not have what the model takes
   */
  public BundleFunction bind(String name, DataType argument) {
    if (!(argument instanceof StructType struct)) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE,
          "'"
              + name
              + "' takes one struct whose fields are the model's inputs, such as struct(*), received "
              + argument.catalogString());
    }
    ScoreSpec spec =
        ScoreSpec.of(
            SparkContext.getOrCreate(), location(name), null, signature -> plan(signature, struct));
    return new BundleFunction(name, spec, struct);
  }

  private ScorePlan plan(Signature signature, StructType struct) {
    Map<String, DataType> types = new LinkedHashMap<>();
    for (StructField field : struct.fields()) {
      types.put(field.name(), field.dataType());
    }
    return ColumnRules.plan(
        signature,
        mapping(signature, types),
        types,
        List.of(),
        true,
        OnError.QUARANTINE,
        batchSize);
  }

  /** Where the bundle of that name lies. */
  private String location(String name) {
    if (repository.isEmpty()) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND,
          "set spark.sql.catalog.<name>.repository to the folder of the bundles");
    }
    if (!name.matches("[^/\\\\:]+") || name.startsWith(".")) {
      throw new SealaneException(
          ErrorCode.BUNDLE_NOT_FOUND, "'" + name + "' is not the name of a bundle");
    }
    return repository.replaceFirst("/$", "") + "/" + name;
  }

  /** Whether the repository has a bundle of that name; it is not verified. */
  public boolean has(String name) {
    SparkContext context = SparkContext.getOrCreate();
    try {
      new BundleStore(context, context.hadoopConfiguration()).find(location(name));
      return true;
    } catch (SealaneException missing) {
      return false;
    }
  }

  /** SQL's names know no case: an input without a column of its very name has one like it. */
  private static Map<String, List<String>> mapping(
      Signature signature, Map<String, DataType> types) {
    Map<String, List<String>> mapping = new LinkedHashMap<>();
    for (TensorSpec input : signature.inputs()) {
      if (!types.containsKey(input.name())) {
        types.keySet().stream()
            .filter(input.name()::equalsIgnoreCase)
            .findFirst()
            .ifPresent(column -> mapping.put(input.name(), List.of(column)));
      }
    }
    return mapping;
  }
}
