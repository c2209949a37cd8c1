package io.sealane.spark;

import io.sealane.spark.exec.PlanBuilders;
import io.sealane.spark.sql.BundleFunctions;
import io.sealane.spark.sql.ScoreByName;
import io.sealane.spark.sql.UnboundBundle;
import java.util.Objects;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.NoSuchFunctionException;
import org.apache.spark.sql.connector.catalog.FunctionCatalog;
import org.apache.spark.sql.connector.catalog.Identifier;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;
import org.jspecify.annotations.Nullable;

/**
 * A catalog whose functions are the bundles of a repository, for SQL, Thrift and Spark Connect:
 *
 * <pre>{@code
 * spark.sql.catalog.sealane=io.sealane.spark.SealaneCatalog
 * spark.sql.catalog.sealane.repository=hdfs:///models
 * spark.sql.extensions=io.sealane.spark.SealaneExtensions
 * }</pre>
 *
 * <p>{@code SELECT sealane.churn(struct(*)) FROM customers}, or {@code sealane.score('churn',
 * struct(*))}. Option {@code batch-size}: rows that run at once, 1,024.
 */
public final class SealaneCatalog implements FunctionCatalog {
  private static final String EXTENSIONS = "spark.sql.extensions";

  private @Nullable String name;
  private @Nullable BundleFunctions bundles;

  /** For Spark. */
  public SealaneCatalog() {}

  @Override
  public void initialize(String catalog, CaseInsensitiveStringMap options) {
    name = catalog;
    bundles =
        new BundleFunctions(
            options.getOrDefault("repository", ""),
            options.getInt("batch-size", ScoreOptions.BATCH_SIZE));
    PlanBuilders.ofThisSpark().install();
  }

  @Override
  public String name() {
    return Objects.requireNonNull(name);
  }

  @Override
  public Identifier[] listFunctions(String[] namespace) {
    return new Identifier[] {Identifier.of(new String[0], "score")};
  }

  @Override
  public UnboundFunction loadFunction(Identifier function) throws NoSuchFunctionException {
    BundleFunctions known = Objects.requireNonNull(bundles);
    if (function.namespace().length > 0) {
      throw new NoSuchFunctionException(function);
    }
    if (function.name().equals("score")) {
      return new ScoreByName(known, isExtended());
    }
    if (!known.has(function.name())) {
      throw new NoSuchFunctionException(function);
    }
    return new UnboundBundle(known, function.name());
  }

  private static boolean isExtended() {
    return SparkSession.active()
        .conf()
        .get(EXTENSIONS, "")
        .contains(SealaneExtensions.class.getName());
  }
}
