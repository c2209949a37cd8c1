import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import ai.onnxruntime.OrtSession;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * DJL's ONNX Runtime engine inside {@code mapPartitions}, as well as its API lets one write it: one
 * model per JVM, a direct buffer that is used again, the results as one array.
 */
public final class DjlScorer implements MapPartitionsFunction<Row, Row>, Serializable {
  private static final long serialVersionUID = 1;
  private static final Map<String, Model> MODELS = new ConcurrentHashMap<>();

  private final String model;
  private final int[] passed;
  private final int[] features;
  private final boolean array;
  private final int width;
  private final int batch;

  private DjlScorer(
      Dataset<Row> rows,
      String model,
      List<String> passed,
      List<String> features,
      int width,
      int batch) {
    StructType schema = rows.schema();
    this.model = model;
    this.passed = passed.stream().mapToInt(schema::fieldIndex).toArray();
    this.features = features.stream().mapToInt(schema::fieldIndex).toArray();
    this.array = features.size() == 1;
    this.width = width;
    this.batch = batch;
  }

  /** The columns of {@code passed}, and {@code score}: an array of floats. */
  public static Dataset<Row> score(
      Dataset<Row> rows,
      String model,
      List<String> passed,
      List<String> features,
      int width,
      int batch) {
    StructType schema = new StructType();
    for (String name : passed) {
      schema = schema.add(rows.schema().apply(name));
    }
    schema = schema.add("score", DataTypes.createArrayType(DataTypes.FloatType));
    return rows.mapPartitions(
        new DjlScorer(rows, model, passed, features, width, batch), Encoders.row(schema));
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    return new Scored(rows);
  }

  private static Model open(String path) {
    try {
      OrtSession.SessionOptions options = new OrtSession.SessionOptions();
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      Model model = Model.newInstance("model", "OnnxRuntime");
      model.load(Path.of(path), null, Map.of("sessionOptions", options));
      return model;
    } catch (Exception failed) {
      throw new IllegalStateException(failed);
    }
  }

  private final class Scored implements Iterator<Row> {
    private final Iterator<Row> rows;
    private final Queue<Row> ready = new ArrayDeque<>(batch);
    private final Row[] taken = new Row[batch];
    private final FloatBuffer values =
        ByteBuffer.allocateDirect(4 * batch * width).order(ByteOrder.nativeOrder()).asFloatBuffer();
    private final NDManager manager;
    private final Predictor<NDList, NDList> predictor;

    Scored(Iterator<Row> rows) {
      this.rows = rows;
      Model opened = MODELS.computeIfAbsent(model, DjlScorer::open);
      this.manager = opened.getNDManager().newSubManager();
      this.predictor = opened.newPredictor(new NoopTranslator(null));
    }

    @Override
    public boolean hasNext() {
      if (ready.isEmpty() && rows.hasNext()) {
        scoreBatch();
      } else if (ready.isEmpty()) {
        predictor.close();
        manager.close();
      }
      return !ready.isEmpty();
    }

    @Override
    public Row next() {
      return ready.remove();
    }

    private void scoreBatch() {
      values.clear();
      int count = 0;
      while (count < batch && rows.hasNext()) {
        Row row = rows.next();
        put(row);
        taken[count++] = row;
      }
      values.flip();
      float[] scores = predict(count);
      int size = scores.length / count;
      for (int index = 0; index < count; index++) {
        ready.add(joined(taken[index], scores, index * size, size));
      }
    }

    private void put(Row row) {
      if (array) {
        List<Float> given = row.getList(features[0]);
        for (float value : given) {
          values.put(value);
        }
      } else {
        for (int feature : features) {
          values.put(row.getFloat(feature));
        }
      }
    }

    private float[] predict(int count) {
      try (NDArray input = manager.create(values, new Shape(count, width));
          NDList output = predictor.predict(new NDList(input))) {
        return output.get(0).toFloatArray();
      } catch (TranslateException failed) {
        throw new IllegalStateException(failed);
      }
    }

    private Row joined(Row row, float[] scores, int from, int size) {
      Object[] cells = new Object[passed.length + 1];
      for (int index = 0; index < passed.length; index++) {
        cells[index] = row.get(passed[index]);
      }
      Float[] score = new Float[size];
      for (int index = 0; index < size; index++) {
        score[index] = scores[from + index];
      }
      cells[passed.length] = score;
      return RowFactory.create(cells);
    }
  }
}
