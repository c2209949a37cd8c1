package io.sealane.serving;

import io.sealane.bundle.BundleDraft;
import io.sealane.bundle.BundleWriter;
import io.sealane.bundle.GoldenCase;
import io.sealane.bundle.GoldenTensor;
import io.sealane.bundle.Variant;
import io.sealane.bundle.Verdict;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Bundles of models of a few nodes, from {@code x} to {@code y}. */
final class SmallBundles {
  private static final Dim BATCH = Dim.symbolic("batch");
  private static final Dim WIDTH = Dim.symbolic("width");
  private static final long[] TWO_BY_TWO = {2, 2};

  private SmallBundles() {}

  /** y = factor · x of FP32[batch, width]. */
  static void scaled(Path path, String version, float factor) {
    claiming(path, version, factor, factor);
  }

  /** As {@link #scaled}, with a golden case of another factor. */
  static void claiming(Path path, String version, float factor, float claimed) {
    claiming(path, version, claimed, List.of(times(factor)));
  }

  /** As {@link #scaled}, with a second variant, {@code onnx-2}, of another factor. */
  static void scaled(Path path, String version, float factor, float second) {
    claiming(path, version, factor, List.of(times(factor), times(second)));
  }

  private static byte[] times(float factor) {
    return new Graph()
        .input(Graph.FLOAT)
        .floats("factor", factor)
        .node("Mul", "y", "x", "factor")
        .output(Graph.FLOAT)
        .model();
  }

  private static void claiming(Path path, String version, float claimed, List<byte[]> models) {
    GoldenTensor x = floats(TWO_BY_TWO, 1, 2, 3, 4);
    GoldenTensor y = floats(TWO_BY_TWO, claimed, 2 * claimed, 3 * claimed, 4 * claimed);
    write(path, version, signature(DataType.FP32, List.of(BATCH, WIDTH), WIDTH), models, x, y);
  }

  /**
   * y = x · (xᵀ · x)^(2^500), by 500 products of {@code width} by {@code width}: {@link #slowRow}
   * keeps a core busy for seconds, and two columns for a moment.
   */
  static void slow(Path path, String version) {
    Graph graph =
        new Graph().input(Graph.FLOAT).node("Transpose", "t", "x").node("MatMul", "p0", "t", "x");
    for (int i = 0; i < 500; i++) {
      graph.node("MatMul", "p" + (i + 1), "p" + i, "p" + i);
    }
    byte[] model = graph.node("MatMul", "y", "x", "p500").output(Graph.FLOAT).model();
    GoldenTensor x = floats(TWO_BY_TWO, 1, 0, 0, 1);
    write(path, version, signature(DataType.FP32, List.of(BATCH, WIDTH), WIDTH), model, x, x);
  }

  /** A row on which {@link #slow} takes its time. */
  static Tensor slowRow() {
    return Tensor.fp32(Shape.of(1, 1024), new float[1024]);
  }

  /** y = x · xᵀ: the columns of its rows are the rows of all. */
  static void products(Path path) {
    byte[] model =
        new Graph()
            .input(Graph.FLOAT)
            .node("Transpose", "t", "x")
            .node("MatMul", "y", "x", "t")
            .output(Graph.FLOAT)
            .model();
    GoldenTensor x = floats(TWO_BY_TWO, 1, 2, 3, 4);
    GoldenTensor y = floats(TWO_BY_TWO, 5, 11, 11, 25);
    Dim rows = Dim.symbolic("y_dim1");
    write(path, "1", signature(DataType.FP32, List.of(BATCH, WIDTH), rows), model, x, y);
  }

  /** y = the sum of the rows, which is one row for each only where there is one. */
  static void sum(Path path) {
    byte[] model =
        new Graph()
            .input(Graph.FLOAT)
            .longs("rows", 0)
            .node("ReduceSum", "y", "x", "rows")
            .output(Graph.FLOAT)
            .model();
    GoldenTensor x = floats(new long[] {1, 2}, 1, 2);
    write(path, "1", signature(DataType.FP32, List.of(BATCH, WIDTH), WIDTH), model, x, x);
  }

  /** y[i] = 10 · x[i], looked up in a table: ONNX Runtime fails above 9 and below -10. */
  static void lookup(Path path) {
    byte[] model =
        new Graph()
            .input(Graph.INT64)
            .floats("table", 0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
            .node("Gather", "y", "table", "x")
            .output(Graph.FLOAT)
            .model();
    ByteBuffer ids = little(16).putLong(3).putLong(9).flip();
    GoldenTensor x = GoldenTensor.of(DataType.INT64, new long[] {2}, ids);
    GoldenTensor y = floats(new long[] {2}, 30, 90);
    write(path, "1", signature(DataType.INT64, List.of(BATCH)), model, x, y);
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static GoldenTensor floats(long[] shape, float... values) {
    ByteBuffer bytes = little(4 * values.length);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return GoldenTensor.of(DataType.FP32, shape, bytes.flip());
  }

  private static Signature signature(DataType dtype, List<Dim> in, Dim... rest) {
    Dim[] out = new Dim[rest.length + 1];
    out[0] = BATCH;
    System.arraycopy(rest, 0, out, 1, rest.length);
    return new Signature(
        List.of(TensorSpec.of("x", dtype, in.toArray(new Dim[0]))),
        List.of(TensorSpec.of("y", DataType.FP32, out)),
        Map.of(),
        Map.of());
  }

  private static void write(
      Path path,
      String version,
      Signature signature,
      byte[] model,
      GoldenTensor x,
      GoldenTensor y) {
    write(path, version, signature, List.of(model), x, y);
  }

  /** Of several variants: {@code onnx}, {@code onnx-2} and so on. */
  private static void write(
      Path path,
      String version,
      Signature signature,
      List<byte[]> models,
      GoldenTensor x,
      GoldenTensor y) {
    List<Variant> variants = new ArrayList<>();
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (byte[] model : models) {
      variants.add(variant(variants.size() + 1));
      files.put(variants.size() + "/model.onnx", model);
    }
    GoldenCase golden =
        new GoldenCase("two", "two rows", x.shape()[0], Map.of("x", x), Map.of("y", y), Map.of());
    BundleWriter.write(
        path,
        new BundleDraft(
            "small",
            version,
            "2026-01-01T00:00:00Z",
            List.of(),
            signature,
            variants,
            List.of(),
            files,
            List.of(golden),
            Map.of(),
            Map.of(),
            Map.of(),
            ""));
  }

  private static Variant variant(int number) {
    return new Variant(
        number == 1 ? "onnx" : "onnx-" + number,
        Variant.ONNX,
        number == 1 ? Variant.Role.PRIMARY : Variant.Role.OPTIONAL,
        number + "/model.onnx",
        new Variant.Bindings(Map.of("x", "x"), Map.of("y", "y")),
        new Variant.Requires(null, Map.of(), List.of()),
        Variant.Precision.FP32,
        Verdict.WITHIN_ORACLE,
        null);
  }

  /** A row for {@link #scaled}. */
  static Tensor row(float... values) {
    return Tensor.fp32(Shape.of(1, values.length), values);
  }
}
