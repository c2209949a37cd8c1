package io.sealane.spark;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Signature;
import io.sealane.core.TensorSpec;
import io.sealane.spark.exec.ColumnSource;
import io.sealane.spark.exec.PlanBuilders;
import io.sealane.spark.exec.ScoreSpec;
import io.sealane.spark.rows.ColumnRules;
import io.sealane.spark.rows.ScorePlan;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Scores data sets with a bundle, on the executors' JVMs.
 *
 * <pre>{@code
 * Dataset<Row> scored = Scorer.of("hdfs:///models/churn").score(customers);
 * }</pre>
 *
 * <p>Rows keep their columns and their order and get two more: {@code score}, the output, or a
 * struct of the outputs where there are several, and {@code score_error}, a struct of {@code code}
 * and {@code message} for rows that could not be scored. Works on streaming data sets alike.
 * Immutable; safe for use by several threads.
 */
public final class Scorer {
  private final ScoreOptions options;

  /** A scorer with these options. */
  public Scorer(ScoreOptions options) {
    this.options = options;
  }

  /** A scorer with the defaults of {@link ScoreOptions#of}. */
  public static Scorer of(String bundle) {
    return new Scorer(ScoreOptions.of(bundle));
  }

  /**
   * The rows with their scores. The bundle is verified here, before any job runs.
   *
   * @throws SealaneException a code of the bundle family; INPUT_MISSING, INPUT_UNKNOWN, INPUT_DTYPE
   *     or INPUT_SHAPE when the columns do not fit the model; INPUT_LAYOUT when a column of the
   *     score's name is there already
   */
  public Dataset<Row> score(Dataset<Row> rows) {
    List<String> taken = Arrays.asList(rows.columns());
    for (String name : options.added()) {
      if (taken.stream().anyMatch(name::equalsIgnoreCase)) {
        throw new SealaneException(
            ErrorCode.INPUT_LAYOUT,
            "there is a column '" + name + "' already; choose another name in into, or drop it");
      }
    }
    SparkContext context = rows.sparkSession().sparkContext();
    ScoreSpec spec =
        ScoreSpec.of(
            context, options.bundle(), options.engine(), signature -> plan(rows, signature));
    List<String> names = Arrays.stream(rows.columns()).map(Scorer::quoted).toList();
    List<ColumnSource> sources =
        spec.plan().columns().stream()
            .map(column -> new ColumnSource(names.indexOf(column), column))
            .toList();
    return PlanBuilders.ofThisSpark().score(rows, spec, sources, options.added());
  }

  private ScorePlan plan(Dataset<Row> rows, Signature signature) {
    Map<String, DataType> types = new LinkedHashMap<>();
    Map<String, List<String>> mapping = mapping(rows, signature, types);
    return ColumnRules.plan(
        signature,
        mapping,
        types,
        options.outputs(),
        false,
        options.onError(),
        options.batchSize());
  }

  /** For each input its columns, as the data set names them, whose types go into {@code types}. */
  private Map<String, List<String>> mapping(
      Dataset<Row> rows, Signature signature, Map<String, DataType> types) {
    for (StructField field : rows.schema().fields()) {
      types.put(quoted(field.name()), field.dataType());
    }
    requireStruct(types);
    Map<String, List<String>> mapping = new LinkedHashMap<>();
    for (TensorSpec input : signature.inputs()) {
      List<String> named = options.inputs().get(input.name());
      String own = options.struct() == null ? input.name() : options.struct() + "." + input.name();
      List<String> columns = named == null ? List.of(own) : named;
      mapping.put(input.name(), columns.stream().map(name -> place(rows, name, types)).toList());
    }
    options.inputs().keySet().stream()
        .filter(name -> !mapping.containsKey(name))
        .forEach(name -> mapping.put(name, List.of()));
    return mapping;
  }

  private void requireStruct(Map<String, DataType> types) {
    DataType type = options.struct() == null ? null : types.get(quoted(options.struct()));
    if (type != null && !(type instanceof StructType)) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE,
          "inputs: column '"
              + options.struct()
              + "' is no struct whose fields are the inputs, but "
              + type.catalogString());
    }
  }

  /** The column as the data set resolves it, a nested field's type noted on the way. */
  private static String place(Dataset<Row> rows, String name, Map<String, DataType> types) {
    if (types.containsKey(quoted(name))) {
      if (Arrays.stream(rows.columns()).filter(name::equals).count() > 1) {
        throw new SealaneException(
            ErrorCode.INPUT_LAYOUT, "there are several columns '" + name + "'; rename them first");
      }
      return quoted(name);
    }
    try {
      types.put(name, rows.select(rows.col(name)).schema().fields()[0].dataType());
    } catch (Exception unresolved) {
      // Left out of the types, so that the rules say which input lacks which column.
      return name;
    }
    return name;
  }

  private static String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }
}
