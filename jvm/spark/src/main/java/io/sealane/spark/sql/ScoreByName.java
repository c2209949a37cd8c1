package io.sealane.spark.sql;

import java.io.Serializable;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.catalog.functions.BoundFunction;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * {@code score('model', struct(*))}. Spark binds functions by the types of their arguments alone,
 * so which bundle is meant, and what it gives, is settled by a rule of Sealane's session extension.
 */
public final class ScoreByName implements UnboundFunction {
  private static final long serialVersionUID = 1L;

  private final BundleFunctions bundles;
  private final boolean extended;

  /**
   * @param extended whether the session has Sealane's extension
   */
  public ScoreByName(BundleFunctions bundles, boolean extended) {
    this.bundles = bundles;
    this.extended = extended;
  }

  @Override
  public BoundFunction bind(StructType arguments) {
    if (arguments.size() != 2 || !arguments.fields()[0].dataType().equals(DataTypes.StringType)) {
      throw new UnsupportedOperationException(
          "score takes the name of a model and a struct: score('churn', struct(*))");
    }
    if (!extended) {
      throw new UnsupportedOperationException(
          "score('model', …) needs spark.sql.extensions=io.sealane.spark.SealaneExtensions; without"
              + " it, call the model by its own name: <catalog>.model(struct(*))");
    }
    return new Named(bundles.repository(), bundles.batchSize(), arguments);
  }

  @Override
  public String name() {
    return "score";
  }

  @Override
  public String description() {
    return "score('model', struct): the outputs of the bundle of that name, and the error of a row";
  }

  /** A call whose model is not known yet; never evaluated. */
  public static final class Named implements ScalarFunction<InternalRow>, Serializable {
    private static final long serialVersionUID = 1L;

    private final String repository;
    private final int batchSize;
    private final StructType arguments;

    private Named(String repository, int batchSize, StructType arguments) {
      this.repository = repository;
      this.batchSize = batchSize;
      this.arguments = arguments;
    }

    /** The function of the model with that name. */
    public BundleFunction resolve(String model) {
      return new BundleFunctions(repository, batchSize)
          .bind(model, arguments.fields()[1].dataType());
    }

    @Override
    public DataType[] inputTypes() {
      return new DataType[] {arguments.fields()[0].dataType(), arguments.fields()[1].dataType()};
    }

    @Override
    public DataType resultType() {
      return DataTypes.NullType;
    }

    @Override
    public InternalRow produceResult(InternalRow input) {
      throw new IllegalStateException("a call whose model is not known was evaluated");
    }

    @Override
    public String name() {
      return "score";
    }
  }
}
