package io.sealane.spark.sql;

import org.apache.spark.sql.connector.catalog.functions.BoundFunction;
import org.apache.spark.sql.connector.catalog.functions.UnboundFunction;
import org.apache.spark.sql.types.StructType;

/** A bundle by its name, before the type of its argument is known. */
public record UnboundBundle(BundleFunctions bundles, String model) implements UnboundFunction {
  @Override
  public BoundFunction bind(StructType arguments) {
    if (arguments.size() != 1) {
      throw new UnsupportedOperationException(
          "'" + model + "' takes one argument, a struct such as struct(*)");
    }
    return bundles.bind(model, arguments.fields()[0].dataType());
  }

  @Override
  public String name() {
    return model;
  }

  @Override
  public String description() {
    return model + "(struct): the outputs of the bundle '" + model + "', and the error of a row";
  }
}
