package io.sealane.spark.plan;

import java.util.List;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.collection.immutable.Map;
import scala.collection.immutable.Map$;
import scala.collection.immutable.Seq;

/** Scala's lists from Java's and back, by the one door that both Scala lines have. */
@SuppressWarnings("deprecation") // deprecated in 2.13, the only one in 2.12
final class ScalaLists {
  private ScalaLists() {}

  static <T> Seq<T> of(List<T> list) {
    return JavaConverters.asScalaBufferConverter(list).asScala().toSeq();
  }

  @SuppressWarnings({"unchecked", "RedundantSuppression"}) // Java sees no type on updated in 2.13
  static <V> Map<String, V> mapOf(List<Tuple2<String, V>> entries) {
    Map<String, V> map = Map$.MODULE$.empty();
    for (Tuple2<String, V> entry : entries) {
      map = (Map<String, V>) map.updated(entry._1(), entry._2());
    }
    return map;
  }

  static <T> List<T> toJava(Seq<T> seq) {
    return JavaConverters.seqAsJavaListConverter(seq).asJava();
  }
}
