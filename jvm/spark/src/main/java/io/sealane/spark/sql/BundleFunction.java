package io.sealane.spark.sql;

import io.sealane.spark.exec.OneRow;
import io.sealane.spark.exec.ScoreSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * A bundle as a function of a struct whose fields are its inputs. Its result is a struct of the
 * outputs and of {@code error}, which says why a row has none.
 *
 * <p>Where Sealane's rules are in the session, whole batches are scored in its place (see
 * ExtractScores in the plan package); row by row it is right all the same.
 */
public final class BundleFunction implements ScalarFunction<InternalRow> {
  private static final long serialVersionUID = 1L;

  private final String name;
  private final ScoreSpec spec;
  private final StructType argument;
  private final String errorField;
  private transient @Nullable OneRow row;

  BundleFunction(String name, ScoreSpec spec, StructType argument) {
    this.name = name;
    this.spec = spec;
    this.argument = argument;
    this.errorField = spec.plan().outputs().contains("error") ? "error_" : "error";
  }

  /** How it scores; the plan's columns are names of fields of the argument. */
  public ScoreSpec spec() {
    return spec;
  }

  /** For each of the plan's columns its place in the argument. */
  public int[] ordinals() {
    return spec.plan().columns().stream().mapToInt(argument::fieldIndex).toArray();
  }

  /** The names of the result's fields: the outputs, then the error. */
  public List<String> fields() {
    List<String> fields = new ArrayList<>(spec.plan().outputs());
    fields.add(errorField);
    return fields;
  }

  @Override
  public DataType[] inputTypes() {
    return new DataType[] {argument};
  }

  @Override
  public DataType resultType() {
    StructType outputs = (StructType) spec.plan().scoreType();
    StructField error = spec.results().get(1);
    return outputs.add(errorField, error.dataType(), true);
  }

  @Override
  public boolean isResultNullable() {
    return false;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String canonicalName() {
    return "sealane." + name + " " + spec.bundle().contentId();
  }

  @Override
  public InternalRow produceResult(InternalRow input) {
    OneRow scoring = row;
    if (scoring == null) {
      scoring = new OneRow(spec, ordinals());
      row = scoring;
    }
    return scoring.score(input.getStruct(0, argument.size()));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof BundleFunction function
        && spec.equals(function.spec)
        && argument.equals(function.argument);
  }

  @Override
  public int hashCode() {
    return Objects.hash(spec, argument);
  }
}
