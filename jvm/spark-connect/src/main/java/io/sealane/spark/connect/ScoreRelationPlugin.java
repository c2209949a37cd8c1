package io.sealane.spark.connect;

import io.sealane.spark.Gateway;
import java.io.IOException;
import java.util.Optional;
import org.apache.spark.connect.proto.Relation;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.Dataset;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.connect.planner.SparkConnectPlanner;
import org.apache.spark.sql.connect.plugin.RelationPlugin;
import org.sparkproject.connect.protobuf.Any;
import org.sparkproject.connect.protobuf.ByteString;
import org.sparkproject.connect.protobuf.CodedInputStream;
import org.sparkproject.connect.protobuf.ExtensionRegistryLite;
import org.sparkproject.connect.protobuf.InvalidProtocolBufferException;
import org.sparkproject.connect.protobuf.WireFormat;

/**
 * Scores the rows of a relation: {@code
 * spark.connect.extensions.relation.classes=io.sealane.spark.connect.ScoreRelationPlugin}.
 *
 * <p>The extension's type URL ends in {@code sealane.spark.Score}; the message has {@code bytes
 * child = 1}, a serialized {@code spark.connect.Relation}, and {@code string options = 2}, JSON.
 */
public final class ScoreRelationPlugin implements RelationPlugin {
  private static final String TYPE = "/sealane.spark.Score";
  private static final int CHILD = 1;
  private static final int OPTIONS = 2;

  /** For Spark. */
  public ScoreRelationPlugin() {}

  @Override
  public Optional<LogicalPlan> transform(byte[] relation, SparkConnectPlanner planner) {
    try {
      Any any = Any.parseFrom(relation);
      return any.getTypeUrl().endsWith(TYPE)
          ? Optional.of(scored(any.getValue(), planner))
          : Optional.empty();
    } catch (InvalidProtocolBufferException other) {
      return Optional.empty();
    }
  }

  private static LogicalPlan scored(ByteString message, SparkConnectPlanner planner) {
    Relation child = Relation.getDefaultInstance();
    String options = "";
    try {
      CodedInputStream in = message.newCodedInput();
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (WireFormat.getTagFieldNumber(tag)) {
          case CHILD ->
              child = Relation.parseFrom(in.readBytes(), ExtensionRegistryLite.getEmptyRegistry());
          case OPTIONS -> options = in.readStringRequireUtf8();
          default -> in.skipField(tag);
        }
      }
    } catch (IOException malformed) {
      throw new IllegalArgumentException("a malformed sealane.spark.Score", malformed);
    }
    LogicalPlan plan = planner.transformRelation(child);
    Dataset<Row> rows = Dataset$.MODULE$.ofRows(planner.session(), plan);
    Dataset<Row> scored = (Dataset<Row>) Gateway.score(rows, options);
    return scored.queryExecution().analyzed();
  }
}
