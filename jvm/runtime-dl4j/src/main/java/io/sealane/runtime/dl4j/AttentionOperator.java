package io.sealane.runtime.dl4j;

import static java.util.Objects.requireNonNull;

import io.sealane.runtime.dl4j.Blas.Matrix;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code attention}: inputs are query, key and value. */
final class AttentionOperator extends Operator {
  private static final String[] ROLES = {"query", "key", "value"};

  private final int heads;
  private final INDArray[] projected = new INDArray[ROLES.length];
  private @Nullable INDArray probabilities;
  private @Nullable INDArray context;

  AttentionOperator(int heads) {
    this.heads = heads;
  }

  /**
   * The sizes of one pass.
   *
   * @param batch rows
   * @param queries steps of the query
   * @param keys steps of key and value
   * @param width of the projections
   * @param head width of one head
   */
  private record Sizes(int batch, int queries, int keys, int width, int head) {
    float scale() {
      return (float) (1 / Math.sqrt(head));
    }

    Matrix ofQueries(Floats memory, int row, int part) {
      return Matrix.of(memory, row * queries * width + part * head, width);
    }

    Matrix ofKeys(Floats memory, int row, int part) {
      return Matrix.of(memory, row * keys * width + part * head, width);
    }

    Matrix scores(Floats memory, int row, int part, int heads) {
      return Matrix.of(memory, (row * heads + part) * queries * keys, keys);
    }
  }

  private Sizes sizes(INDArray[] inputs) {
    int width = size("query_weight", 0);
    return new Sizes(
        Math.toIntExact(inputs[0].size(0)),
        Math.toIntExact(inputs[0].size(1)),
        Math.toIntExact(inputs[1].size(1)),
        width,
        width / heads);
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    Sizes sizes = sizes(inputs);
    for (int i = 0; i < ROLES.length; i++) {
      projected[i] = project(inputs[i], ROLES[i], pass);
    }
    INDArray weights = pass.value(sizes.batch, heads, sizes.queries, sizes.keys);
    INDArray mixed = pass.value(sizes.batch, sizes.queries, sizes.width);
    attend(sizes, Floats.of(weights), Floats.of(mixed));
    probabilities = weights;
    context = mixed;
    return project(mixed, "output", pass);
  }

  private INDArray project(INDArray input, String role, Pass pass) {
    int in = size(role + "_weight", 1);
    int out = size(role + "_weight", 0);
    INDArray output = pass.value(input.size(0), input.size(1), out);
    int rows = Math.toIntExact(input.size(0) * input.size(1));
    Projection.forward(
        Floats.of(input),
        Floats.of(output),
        rows,
        in,
        out,
        weight(role + "_weight"),
        optionalWeight(role + "_bias"));
    return output;
  }

  private void attend(Sizes sizes, Floats scores, Floats mixed) {
    Floats query = Floats.of(projected[0]);
    Floats key = Floats.of(projected[1]);
    Floats value = Floats.of(projected[2]);
    float[] row = new float[sizes.keys];
    for (int i = 0; i < sizes.batch; i++) {
      for (int part = 0; part < heads; part++) {
        Matrix score = sizes.scores(scores, i, part, heads);
        Blas.multiply(
            sizes.queries,
            sizes.keys,
            sizes.head,
            sizes.scale(),
            sizes.ofQueries(query, i, part),
            sizes.ofKeys(key, i, part).transpose(),
            0,
            score);
        for (int j = 0; j < sizes.queries; j++) {
          scores.read(score.offset() + j * sizes.keys, row, sizes.keys);
          SoftmaxOperator.softmax(row, sizes.keys);
          scores.write(score.offset() + j * sizes.keys, row, sizes.keys);
        }
        Blas.multiply(
            sizes.queries,
            sizes.head,
            sizes.keys,
            1,
            score,
            sizes.ofKeys(value, i, part),
            0,
            sizes.ofQueries(mixed, i, part));
      }
    }
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    Sizes sizes = sizes(inputs);
    INDArray mixedError = pass.backScratch(sizes.batch, sizes.queries, sizes.width);
    back(requireNonNull(context), error, mixedError, "output");
    INDArray[] errors = {
      pass.backScratch(projected[0].shape()),
      pass.backScratch(projected[1].shape()),
      pass.backScratch(projected[2].shape())
    };
    attendBack(sizes, Floats.of(mixedError), errors);
    @Nullable INDArray[] results = new INDArray[ROLES.length];
    for (int i = 0; i < ROLES.length; i++) {
      results[i] = wanted[i] ? pass.gradient(inputs[i].shape()) : null;
      back(inputs[i], errors[i], results[i], ROLES[i]);
    }
    probabilities = null;
    context = null;
    return results;
  }

  /** Gradients of one projection. */
  private void back(INDArray input, INDArray error, @Nullable INDArray result, String role) {
    int in = size(role + "_weight", 1);
    int out = size(role + "_weight", 0);
    int rows = Math.toIntExact(input.size(0) * input.size(1));
    Floats dy = Floats.of(error);
    Projection.weightGradient(Floats.of(input), dy, rows, in, out, gradient(role + "_weight"));
    Projection.biasGradient(dy, rows, out, optionalGradient(role + "_bias"));
    if (result != null) {
      Projection.inputGradient(dy, Floats.of(result), rows, in, out, weight(role + "_weight"), 0);
    }
  }

  private void attendBack(Sizes sizes, Floats mixedError, INDArray[] errors) {
    Floats scores = Floats.of(requireNonNull(probabilities));
    Floats query = Floats.of(projected[0]);
    Floats key = Floats.of(projected[1]);
    Floats value = Floats.of(projected[2]);
    Floats valueError = Floats.of(errors[2]);
    for (int i = 0; i < sizes.batch; i++) {
      for (int part = 0; part < heads; part++) {
        Matrix score = sizes.scores(scores, i, part, heads);
        Matrix above = sizes.ofQueries(mixedError, i, part);
        Blas.multiply(
            sizes.keys,
            sizes.head,
            sizes.queries,
            1,
            score.transpose(),
            above,
            0,
            sizes.ofKeys(valueError, i, part));
        scoreErrors(sizes, score, above, sizes.ofKeys(value, i, part));
        Blas.multiply(
            sizes.queries,
            sizes.head,
            sizes.keys,
            sizes.scale(),
            score,
            sizes.ofKeys(key, i, part),
            0,
            sizes.ofQueries(Floats.of(errors[0]), i, part));
        Blas.multiply(
            sizes.keys,
            sizes.head,
            sizes.queries,
            sizes.scale(),
            score.transpose(),
            sizes.ofQueries(query, i, part),
            0,
            sizes.ofKeys(Floats.of(errors[1]), i, part));
      }
    }
  }

  /** Replaces the probabilities of one head by the gradients of its scores. */
  private static void scoreErrors(Sizes sizes, Matrix score, Matrix above, Matrix value) {
    float[] row = new float[sizes.keys];
    float[] error = new float[sizes.keys];
    float[] dy = new float[sizes.head];
    float[] key = new float[sizes.head];
    float[] values = new float[sizes.keys * sizes.head];
    for (int j = 0; j < sizes.keys; j++) {
      value.memory().read(value.offset() + j * value.stride(), key, sizes.head);
      System.arraycopy(key, 0, values, j * sizes.head, sizes.head);
    }
    for (int i = 0; i < sizes.queries; i++) {
      above.memory().read(above.offset() + i * above.stride(), dy, sizes.head);
      for (int j = 0; j < sizes.keys; j++) {
        float sum = 0;
        for (int k = 0; k < sizes.head; k++) {
          sum += dy[k] * values[j * sizes.head + k];
        }
        error[j] = sum;
      }
      score.memory().read(score.offset() + i * sizes.keys, row, sizes.keys);
      SoftmaxOperator.differentiate(row, error, sizes.keys, false);
      score.memory().write(score.offset() + i * sizes.keys, row, sizes.keys);
    }
  }
}
