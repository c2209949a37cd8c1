package io.sealane.spark.plan;

import io.sealane.spark.exec.ColumnSource;
import io.sealane.spark.exec.PlanBuilder;
import io.sealane.spark.exec.ScoreSpec;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.ExperimentalMethods;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.rules.Rule;
import org.apache.spark.sql.classic.Dataset;
import org.apache.spark.sql.classic.Dataset$;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.types.StructField;
import scala.Option;
import scala.collection.immutable.Seq;

/** Builds plans with {@link ScoreColumns} in them. */
public final class CatalystPlans implements PlanBuilder {
  private static final String INPUT = "__sealane_input_";

  /** For {@code PlanBuilders}. */
  public CatalystPlans() {}

  @Override
  public org.apache.spark.sql.Dataset<Row> score(
      org.apache.spark.sql.Dataset<Row> rows,
      ScoreSpec spec,
      List<ColumnSource> columns,
      List<String> names) {
    Dataset<Row> given = (Dataset<Row>) rows;
    SparkSession session = given.sparkSession();
    List<Column> selected = new ArrayList<>();
    selected.add(given.col("*"));
    for (ColumnSource column : columns) {
      if (column.index() < 0) {
        selected.add(given.col(column.name()).as(INPUT + selected.size()));
      }
    }
    Dataset<Row> prepared = given.select(selected.toArray(Column[]::new));
    Project project = (Project) prepared.queryExecution().analyzed();
    install(session);
    return Dataset$.MODULE$.ofRows(session, scored(spec, project, columns, names));
  }

  /** The given columns, and the scores under their names, over the node that makes them. */
  private static LogicalPlan scored(
      ScoreSpec spec, Project project, List<ColumnSource> columns, List<String> names) {
    List<NamedExpression> list = ScalaLists.toJava(project.projectList());
    int fields = (int) columns.stream().filter(column -> column.index() < 0).count();
    int width = list.size() - fields;
    List<NamedExpression> below = new ArrayList<>(list.subList(0, width));
    List<Attribute> inputs = new ArrayList<>();
    int next = width;
    for (ColumnSource column : columns) {
      NamedExpression source = list.get(column.index() < 0 ? next++ : column.index());
      if (column.index() >= 0) {
        inputs.add(source.toAttribute());
      } else if (((Alias) source).child() instanceof Attribute plain) {
        inputs.add(plain);
      } else {
        below.add(source);
        inputs.add(source.toAttribute());
      }
    }
    boolean computes = below.size() > width;
    LogicalPlan child =
        computes ? new Project(ScalaLists.of(below), project.child()) : project.child();
    ScoreColumns score = node(spec, inputs, child);
    List<NamedExpression> above = new ArrayList<>();
    for (NamedExpression column : list.subList(0, width)) {
      above.add(column.toAttribute());
    }
    List<Attribute> results = ScalaLists.toJava(score.parts().results());
    for (int i = 0; i < results.size(); i++) {
      above.add(named(results.get(i), names.get(i)));
    }
    return new Project(ScalaLists.of(above), score);
  }

  static ScoreColumns node(ScoreSpec spec, List<Attribute> inputs, LogicalPlan child) {
    List<Attribute> results = new ArrayList<>();
    for (StructField field : spec.results()) {
      results.add(Attributes.create(field));
    }
    return new ScoreColumns(spec, ScalaLists.of(inputs), ScalaLists.of(results), child);
  }

  static Alias named(Expression expression, String name) {
    return new Alias(
        expression,
        name,
        NamedExpression$.MODULE$.newExprId(),
        ScalaLists.of(List.<String>of()),
        Option.empty(),
        ScalaLists.of(List.<String>of()));
  }

  /** Makes a session plan {@link ScoreColumns}; once. */
  static void install(SparkSession session) {
    ExperimentalMethods methods = session.experimental();
    synchronized (methods) {
      List<SparkStrategy> strategies =
          new ArrayList<>(ScalaLists.toJava(methods.extraStrategies()));
      if (strategies.stream().noneMatch(ScoreStrategy.class::isInstance)) {
        strategies.add(new ScoreStrategy());
        Seq<SparkStrategy> all = ScalaLists.of(strategies);
        methods.extraStrategies_$eq(all);
      }
    }
  }

  @Override
  public void install() {
    Option<org.apache.spark.sql.SparkSession> active =
        org.apache.spark.sql.SparkSession.getActiveSession();
    if (active.isDefined()) {
      SparkSession session = (SparkSession) active.get();
      install(session);
      ExperimentalMethods methods = session.experimental();
      synchronized (methods) {
        List<Rule<LogicalPlan>> rules =
            new ArrayList<>(ScalaLists.toJava(methods.extraOptimizations()));
        if (rules.stream().noneMatch(ExtractScores.class::isInstance)) {
          rules.add(new ExtractScores());
          methods.extraOptimizations_$eq(ScalaLists.of(rules));
        }
      }
    }
  }

  @Override
  public void extend(SparkSessionExtensions extensions) {
    extensions.injectPlannerStrategy(session -> new ScoreStrategy());
    extensions.injectResolutionRule(session -> new ResolveScoreByName());
    extensions.injectPostHocResolutionRule(session -> new ExtractScores());
  }
}
