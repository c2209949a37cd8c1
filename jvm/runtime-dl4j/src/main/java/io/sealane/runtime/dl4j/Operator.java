package io.sealane.runtime.dl4j;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The mathematics of one layer, forward and backward, in the layouts of docs/network-format.md §4.
 * Belongs to one vertex of one graph: may keep what forward computed until backward of the same
 * step. Arrays are contiguous in order 'c'.
 */
abstract class Operator {
  private Map<String, int[]> shapes = Map.of();
  private final Map<String, INDArray> weights = new LinkedHashMap<>();
  private final Map<String, INDArray> gradients = new LinkedHashMap<>();
  private final Map<String, Floats> weightMemory = new LinkedHashMap<>();
  private final Map<String, Floats> gradientMemory = new LinkedHashMap<>();

  /** Sets the shapes of the weights by role, in the order in which they follow each other. */
  final void declare(Map<String, int[]> roles) {
    shapes = roles;
  }

  /** How many values all weights have. */
  final long weightCount() {
    return shapes.values().stream().mapToLong(Operator::product).sum();
  }

  /** Lets the weights live in a part of the graph's vector. */
  final void weightsIn(INDArray vector) {
    divide(vector, weights, weightMemory);
  }

  /** Lets the weights' gradients live in a part of the graph's vector. */
  final void gradientsIn(INDArray vector) {
    divide(vector, gradients, gradientMemory);
    gradientMemory.values().forEach(memory -> memory.fill(0));
  }

  private void divide(INDArray vector, Map<String, INDArray> arrays, Map<String, Floats> memory) {
    INDArray flat = vector.reshape(vector.length());
    long offset = 0;
    for (Map.Entry<String, int[]> role : shapes.entrySet()) {
      long count = product(role.getValue());
      INDArray part = flat.get(NDArrayIndex.interval(offset, offset + count));
      long[] shape = java.util.Arrays.stream(role.getValue()).asLongStream().toArray();
      arrays.put(role.getKey(), part.reshape('c', shape));
      memory.put(role.getKey(), Floats.of(part));
      offset += count;
    }
  }

  private static long product(int[] shape) {
    long count = 1;
    for (int size : shape) {
      count *= size;
    }
    return count;
  }

  /** The roles of the weights, in order. */
  final List<String> roles() {
    return List.copyOf(shapes.keySet());
  }

  final boolean has(String role) {
    return shapes.containsKey(role);
  }

  /** Dim {@code axis} of a weight. */
  final int size(String role, int axis) {
    return Objects.requireNonNull(shapes.get(role), role)[axis];
  }

  final INDArray weightArray(String role) {
    return Objects.requireNonNull(weights.get(role), role);
  }

  final INDArray gradientArray(String role) {
    return Objects.requireNonNull(gradients.get(role), role);
  }

  /** The values of a weight. */
  final Floats weight(String role) {
    return Objects.requireNonNull(weightMemory.get(role), role);
  }

  /** The values of a weight, or null where the layer has none of that role. */
  final @Nullable Floats optionalWeight(String role) {
    return weightMemory.get(role);
  }

  /** Where the gradient of a weight is to be written. */
  final Floats gradient(String role) {
    return Objects.requireNonNull(gradientMemory.get(role), role);
  }

  /** Where the gradient of a weight is to be written, or null. */
  final @Nullable Floats optionalGradient(String role) {
    return gradientMemory.get(role);
  }

  /** Roles that are statistics: no gradient moves them. */
  List<String> statistics() {
    return List.of();
  }

  /**
   * Computes the layer.
   *
   * @return a new array of {@link Pass#value}
   */
  abstract INDArray forward(INDArray[] inputs, Pass pass);

  /**
   * Writes the gradients of the weights, and computes those of the inputs.
   *
   * @param inputs as forward had them
   * @param error the gradient of the output; not to be changed
   * @param wanted which inputs need a gradient
   * @return new arrays of {@link Pass#gradient}, one for each input wanted, null for others
   */
  abstract @Nullable INDArray[] backward(
      INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass);
}
