import io.sealane.core.DataType;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Scores a CSV file with a bundle: one column per input of the signature, an empty cell is a
 * missing value. Prints the rows per second of a second pass. Run it as {@code java -cp sealane.jar
 * ScoreCsv.java BUNDLE ROWS.csv SCORES.txt}.
 */
public final class ScoreCsv {
  private static final int BATCH = 4096;

  public static void main(String[] args) throws IOException {
    Path bundle = Path.of(args[0]);
    List<String[]> rows = new ArrayList<>();
    List<String> header;
    try (BufferedReader reader = Files.newBufferedReader(Path.of(args[1]))) {
      header = List.of(reader.readLine().split(",", -1));
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        rows.add(line.split(",", -1));
      }
    }
    List<Map<String, Tensor>> batches = new ArrayList<>();
    try (Session session = Sealane.open(bundle);
        PrintWriter scores = new PrintWriter(Files.newBufferedWriter(Path.of(args[2])))) {
      for (int from = 0; from < rows.size(); from += BATCH) {
        List<String[]> batch = rows.subList(from, Math.min(from + BATCH, rows.size()));
        batches.add(parse(session, header, batch));
      }
      for (float[] batch : scoreAll(session, batches)) {
        for (float score : batch) {
          scores.println(score);
        }
      }
      long start = System.nanoTime();
      scoreAll(session, batches);
      System.out.printf("%.0f%n", rows.size() / ((System.nanoTime() - start) / 1e9));
    } finally {
      batches.forEach(batch -> batch.values().forEach(Tensor::close));
    }
  }

  private static List<float[]> scoreAll(Session session, List<Map<String, Tensor>> batches) {
    String output = session.signature().outputs().get(0).name();
    List<float[]> results = new ArrayList<>();
    for (Map<String, Tensor> inputs : batches) {
      try (Outputs outputs = session.run(inputs)) {
        results.add(outputs.get(output).floats());
      }
    }
    return results;
  }

  private static Map<String, Tensor> parse(
      Session session, List<String> header, List<String[]> rows) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (TensorSpec spec : session.signature().inputs()) {
      inputs.put(spec.name(), column(spec.dtype(), header.indexOf(spec.name()), rows));
    }
    return inputs;
  }

  private static Tensor column(DataType dtype, int index, List<String[]> rows) {
    Shape shape = Shape.of(rows.size());
    String[] cells = rows.stream().map(row -> row[index]).toArray(String[]::new);
    return switch (dtype) {
      case BYTES -> Tensor.bytes(shape, cells);
      case INT64 -> Tensor.int64(shape, Arrays.stream(cells).mapToLong(Long::parseLong).toArray());
      case FP32 -> {
        float[] numbers = new float[cells.length];
        for (int i = 0; i < cells.length; i++) {
          numbers[i] = cells[i].isEmpty() ? Float.NaN : Float.parseFloat(cells[i]);
        }
        yield Tensor.fp32(shape, numbers);
      }
      case FP64 -> {
        double[] numbers = new double[cells.length];
        for (int i = 0; i < cells.length; i++) {
          numbers[i] = cells[i].isEmpty() ? Double.NaN : Double.parseDouble(cells[i]);
        }
        yield Tensor.fp64(shape, numbers);
      }
      default -> throw new IllegalArgumentException("no column parser for " + dtype);
    };
  }
}
