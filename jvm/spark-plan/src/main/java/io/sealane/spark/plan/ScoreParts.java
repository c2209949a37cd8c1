package io.sealane.spark.plan;

import io.sealane.spark.exec.ScoreSpec;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import scala.collection.immutable.Seq;

/**
 * What the logical and the physical node have alike.
 *
 * @param spec how rows become scores
 * @param inputs the columns that are read
 * @param results the columns that are added
 */
record ScoreParts(ScoreSpec spec, Seq<Attribute> inputs, Seq<Attribute> results)
    implements Serializable {
  /** How many elements a node shows to Catalyst: these parts, and its child. */
  static final int ARITY = 4;

  /** What Catalyst sees of a node over {@code child}; it makes nodes anew from these. */
  Object element(int index, Object child) {
    return switch (index) {
      case 0 -> spec;
      case 1 -> inputs;
      case 2 -> results;
      case 3 -> child;
      default -> throw new IndexOutOfBoundsException(index);
    };
  }

  /** The child's columns, then those that are added. */
  Seq<Attribute> output(Seq<Attribute> child) {
    List<Attribute> output = new ArrayList<>(ScalaLists.toJava(child));
    output.addAll(ScalaLists.toJava(results));
    return ScalaLists.of(output);
  }

  AttributeSet produced() {
    return Attributes.setOf(results);
  }
}
