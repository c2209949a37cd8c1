package io.sealane.spark;

import io.sealane.core.SealaneException;
import io.sealane.spark.rows.OnError;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * {@link Scorer} as a stage of a Spark ML pipeline. It is saved as its parameters, in JSON: the
 * bundle stays where it is, and no Java object is serialised.
 */
public final class BundleTransformer extends Transformer implements DefaultParamsWritable {
  private static final long serialVersionUID = 1L;

  private final String uid;
  private final Param<String> bundle;
  private final Param<String> inputs;
  private final StringArrayParam outputs;
  private final Param<String> engine;
  private final Param<String> onError;
  private final Param<String> into;
  private final IntParam batchSize;

  /** A stage with that id; for Spark. */
  public BundleTransformer(String uid) {
    this.uid = uid;
    // Parameters take the id of their parent when they are made, so it comes first.
    this.bundle =
        new Param<>(this, "bundle", "path or URI of the bundle, or of a folder of versions");
    this.inputs = new Param<>(this, "inputs", "JSON: null, a struct column, or columns by input");
    this.outputs = new StringArrayParam(this, "outputs", "the outputs wanted; all when empty");
    this.engine =
        new Param<>(this, "engine", "the engine on the executors; empty for the best one");
    this.onError = new Param<>(this, "onError", "quarantine, fail or null");
    this.into = new Param<>(this, "into", "the score column's name");
    this.batchSize = new IntParam(this, "batchSize", "how many rows run at once, at most");
    setDefault(inputs, "null");
    setDefault(outputs, new String[0]);
    setDefault(engine, "");
    setDefault(onError, OnError.QUARANTINE.id());
    setDefault(into, "score");
    setDefault(batchSize, ScoreOptions.BATCH_SIZE);
  }

  /** A stage with an id of its own. */
  public BundleTransformer() {
    this(Identifiable$.MODULE$.randomUID("sealane"));
  }

  /** Reads a saved stage. */
  public static MLReader<BundleTransformer> read() {
    return new DefaultParamsReader<>();
  }

  /** Reads a saved stage from that path. */
  public static BundleTransformer load(String path) {
    return read().load(path);
  }

  @Override
  public String uid() {
    return uid;
  }

  /** See {@link ScoreOptions#bundle}. */
  public Param<String> bundle() {
    return bundle;
  }

  /** See {@link ScoreOptions#inputs}. */
  public Param<String> inputs() {
    return inputs;
  }

  /** See {@link ScoreOptions#outputs}. */
  public StringArrayParam outputs() {
    return outputs;
  }

  /** See {@link ScoreOptions#engine}. */
  public Param<String> engine() {
    return engine;
  }

  /** See {@link ScoreOptions#onError}. */
  public Param<String> onError() {
    return onError;
  }

  /** See {@link ScoreOptions#into}. */
  public Param<String> into() {
    return into;
  }

  /** See {@link ScoreOptions#batchSize}. */
  public IntParam batchSize() {
    return batchSize;
  }

  /** Sets the bundle. */
  public BundleTransformer setBundle(String value) {
    set(bundle, value);
    return this;
  }

  /** Sets the columns of the inputs, as JSON. */
  public BundleTransformer setInputs(String value) {
    set(inputs, value);
    return this;
  }

  /** Sets the outputs that are wanted. */
  public BundleTransformer setOutputs(String... value) {
    set(outputs, value);
    return this;
  }

  /** Sets the engine. */
  public BundleTransformer setEngine(String value) {
    set(engine, value);
    return this;
  }

  /** Sets what becomes of rows that can not be scored. */
  public BundleTransformer setOnError(String value) {
    set(onError, value);
    return this;
  }

  /** Sets the score column's name. */
  public BundleTransformer setInto(String value) {
    set(into, value);
    return this;
  }

  /** Sets how many rows run at once. */
  public BundleTransformer setBatchSize(int value) {
    set(batchSize, (Object) value);
    return this;
  }

  private ScoreOptions options() {
    ScoreOptions columns = ScoreOptionsParser.parse("{\"inputs\": " + getOrDefault(inputs) + "}");
    String chosen = getOrDefault(engine);
    return new ScoreOptions(
        getOrDefault(bundle),
        columns.inputs(),
        columns.struct(),
        Arrays.asList(getOrDefault(outputs)),
        chosen.isEmpty() ? null : chosen,
        OnError.of(getOrDefault(onError)),
        getOrDefault(into),
        (Integer) getOrDefault(batchSize));
  }

  /**
   * @throws SealaneException as {@link Scorer#score}
   */
  @Override
  public Dataset<Row> transform(Dataset<?> rows) {
    return new Scorer(options()).score(rows.toDF());
  }

  @Override
  public StructType transformSchema(StructType schema) {
    Dataset<Row> none = SparkSession.active().createDataFrame(List.<Row>of(), schema);
    return transform(none).schema();
  }

  @Override
  public BundleTransformer copy(ParamMap extra) {
    return defaultCopy(extra);
  }
}
