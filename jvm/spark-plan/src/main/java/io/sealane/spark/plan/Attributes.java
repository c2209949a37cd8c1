package io.sealane.spark.plan;

import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import scala.collection.immutable.Seq;

/** Columns as Catalyst names them. */
final class Attributes {
  private Attributes() {}

  static AttributeSet setOf(Seq<Attribute> attributes) {
    return AttributeSet$.MODULE$.fromAttributeSets(
        ScalaLists.of(
            ScalaLists.toJava(attributes).stream()
                .map(attribute -> AttributeSet$.MODULE$.apply(attribute))
                .toList()));
  }

  /** A new column, unlike any other of its name. */
  static AttributeReference create(StructField field) {
    return new AttributeReference(
        field.name(),
        field.dataType(),
        field.nullable(),
        Metadata.empty(),
        NamedExpression$.MODULE$.newExprId(),
        ScalaLists.of(List.<String>of()));
  }

  /** For each of {@code wanted} its place in {@code output}. */
  static int[] ordinals(Seq<Attribute> wanted, Seq<Attribute> output) {
    List<Attribute> columns = ScalaLists.toJava(output);
    return ScalaLists.toJava(wanted).stream()
        .mapToInt(
            attribute -> {
              for (int i = 0; i < columns.size(); i++) {
                if (columns.get(i).exprId().equals(attribute.exprId())) {
                  return i;
                }
              }
              throw new IllegalStateException(attribute + " is not in " + output);
            })
        .toArray();
  }
}
