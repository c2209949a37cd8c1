package io.sealane.training;

import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Network;
import io.sealane.core.DataType;
import io.sealane.core.Dim;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.runtime.Inputs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Rows as the network takes them, with their targets; in memory. */
final class PreparedData {
  private static final int CHUNK = 4096;

  private final Map<String, Rows> inputs;
  private final Rows targets;

  private PreparedData(Map<String, Rows> inputs, Rows targets) {
    this.inputs = inputs;
    this.targets = targets;
  }

  /**
   * Checks the data against the signature, ranges of symbols left out, and runs the feature program
   * over it.
   *
   * @param outputDims the dims of the trained output
   * @throws SealaneException of the input family
   */
  static PreparedData of(
      Parent parent, FeatureRunner features, TrainingData data, Loss loss, List<Dim> outputDims) {
    Signature signature = parent.signature();
    Inputs.check(
        new Signature(signature.inputs(), signature.outputs(), Map.of(), signature.methods()),
        data.columns());
    for (TensorSpec spec : parent.signature().inputs()) {
      Tensor column = Objects.requireNonNull(data.columns().get(spec.name()));
      if (column.shape().rank() == 0 || column.shape().dim(0) != data.rows()) {
        throw new SealaneException(
            ErrorCode.INPUT_SHAPE,
            "input '"
                + spec.name()
                + "': expected "
                + data.rows()
                + " rows as there are labels, received "
                + column.shape());
      }
    }
    Rows targets = targets(data.labels(), loss, outputDims);
    PreparedData prepared = new PreparedData(new LinkedHashMap<>(), targets);
    for (int start = 0; start < data.rows(); start += CHUNK) {
      prepared.add(parent, features, data, start, Math.min(start + CHUNK, data.rows()));
    }
    return prepared;
  }

  private void add(Parent parent, FeatureRunner features, TrainingData data, int start, int end) {
    Map<String, Tensor> columns = new LinkedHashMap<>();
    Map<String, Tensor> given = Map.of();
    try {
      data.columns().forEach((name, column) -> columns.put(name, slice(column, start, end)));
      given = features.run(columns);
      for (Network.Input input : parent.layers().network().inputs()) {
        Tensor tensor = Objects.requireNonNull(given.get(input.name()));
        long[] shape = tensor.shape().dims();
        Rows rows =
            inputs.computeIfAbsent(
                input.name(),
                name ->
                    new Rows(
                        input.dtype(), data.rows(), Arrays.copyOfRange(shape, 1, shape.length)));
        rows.fill(start, tensor);
      }
    } finally {
      columns.values().forEach(Tensor::close);
      given.values().forEach(Tensor::close);
    }
  }

  /** Rows from {@code start} to {@code end} of a tensor, a copy; closed by the caller. */
  static Tensor slice(Tensor tensor, int start, int end) {
    long[] dims = tensor.shape().dims();
    int width = Math.toIntExact(tensor.shape().elementCount() / dims[0]);
    dims[0] = (long) end - start;
    Shape shape = Shape.of(dims);
    if (tensor.dtype() == DataType.BYTES) {
      return Tensor.bytes(shape, Arrays.copyOfRange(tensor.strings(), start * width, end * width));
    }
    Tensor rows = Tensor.allocate(tensor.dtype(), shape);
    int bytes = width * tensor.dtype().width();
    tensor.read(all -> rows.buffer().put(all.slice(start * bytes, (end - start) * bytes)));
    return rows;
  }

  private static Rows targets(Tensor labels, Loss loss, List<Dim> outputDims) {
    if (labels.dtype() == DataType.BYTES) {
      throw new SealaneException(
          ErrorCode.INPUT_DTYPE, "labels: expected numbers, received BYTES; give class indices");
    }
    long rows = labels.shape().dim(0);
    if (loss.kind().isCategorical()) {
      return classes(labels, rows, outputDims);
    }
    List<Long> shape = new ArrayList<>();
    long width = 1;
    for (Dim dim : outputDims.subList(1, outputDims.size())) {
      shape.add(dim.size());
      width *= dim.size();
    }
    if (width < 0 || labels.shape().elementCount() != rows * width) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "labels: expected as many as output '"
              + loss.output()
              + "' "
              + outputDims
              + " has, received "
              + labels.shape());
    }
    long[] rowShape = shape.stream().mapToLong(Long::longValue).toArray();
    Rows targets = Rows.of(labels, DataType.FP32, rowShape);
    int bad = targets.firstNotFinite();
    if (bad >= 0) {
      throw new SealaneException(
          ErrorCode.INPUT_NULL, "labels: row " + bad + " is missing or not finite");
    }
    return targets;
  }

  private static Rows classes(Tensor labels, long rows, List<Dim> outputDims) {
    boolean indices = !labels.dtype().isFloat() && labels.dtype() != DataType.BOOL;
    if (!indices || labels.shape().elementCount() != rows || outputDims.size() != 2) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "labels: expected one class index of an integer dtype per row for an output [batch,"
              + " classes], received "
              + labels
              + " for "
              + outputDims);
    }
    Rows targets = Rows.of(labels, DataType.INT64);
    long[] range = targets.range();
    long classes = outputDims.get(1).size();
    if (range[0] < 0 || range[1] >= classes) {
      throw new SealaneException(
          ErrorCode.INPUT_DOMAIN,
          "labels: expected class indices 0 to "
              + (classes - 1)
              + ", received "
              + range[0]
              + " to "
              + range[1]);
    }
    return targets;
  }

  int rows() {
    return targets.rows();
  }

  Rows targets() {
    return targets;
  }

  /** The inputs of the rows that {@code order} names; closed by the caller. */
  Map<String, Tensor> batch(int[] order, int start, int end) {
    Map<String, Tensor> batch = new LinkedHashMap<>();
    inputs.forEach((name, rows) -> batch.put(name, rows.gather(order, start, end)));
    return batch;
  }
}
