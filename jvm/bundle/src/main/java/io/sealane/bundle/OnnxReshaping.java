package io.sealane.bundle;

import io.sealane.bundle.OnnxModel.Attribute;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The operators that only rearrange a constant: Unsqueeze, Squeeze, Reshape, Flatten, Transpose.
 * Source: docs/Operators.md of the ONNX project.
 */
final class OnnxReshaping {
  private final String op;
  private final Constant first;
  private final long @Nullable [] axes;
  private final long @Nullable [] shape;
  private final Map<String, Attribute> attributes;

  /** The second input is {@code shape}, null when not given; axes may be there or an attribute. */
  OnnxReshaping(
      String op,
      Constant first,
      long @Nullable [] axes,
      long @Nullable [] shape,
      Map<String, Attribute> attributes) {
    this.op = op;
    this.first = first;
    this.axes = axes;
    this.shape = shape;
    this.attributes = attributes;
  }

  @Nullable Constant result() {
    return switch (op) {
      case "Unsqueeze" -> unsqueeze();
      case "Squeeze" -> squeeze();
      case "Reshape" -> reshape();
      case "Flatten" -> flatten();
      default -> transpose();
    };
  }

  /** The axes counted from 0 of {@code rank}, or null when one is outside. */
  private static @Nullable Set<Integer> positions(long @Nullable [] axes, int rank) {
    if (axes == null) {
      return null;
    }
    Set<Integer> positions = new HashSet<>();
    for (long axis : axes) {
      long position = axis < 0 ? axis + rank : axis;
      if (position < 0 || position >= rank) {
        return null;
      }
      positions.add((int) position);
    }
    return positions;
  }

  private @Nullable Constant unsqueeze() {
    int rank = first.rank() + (axes == null ? 0 : axes.length);
    Set<Integer> positions = positions(axes, rank);
    if (positions == null || positions.size() + first.rank() != rank) {
      return null;
    }
    long[] result = new long[rank];
    int next = 0;
    for (int i = 0; i < rank; i++) {
      result[i] = positions.contains(i) ? 1 : first.shape[next++];
    }
    return first.reshaped(result);
  }

  private @Nullable Constant squeeze() {
    Set<Integer> positions = positions(axes, first.rank());
    if (positions == null && (axes != null || attributes.containsKey("axes"))) {
      return null;
    }
    List<Long> result = new ArrayList<>();
    for (int i = 0; i < first.rank(); i++) {
      boolean drop = positions == null ? first.shape[i] == 1 : positions.contains(i);
      if (!drop) {
        result.add(first.shape[i]);
      }
    }
    return first.reshaped(result.stream().mapToLong(Long::longValue).toArray());
  }

  private @Nullable Constant reshape() {
    if (shape == null) {
      return null;
    }
    long[] result = shape.clone();
    if (Arrays.stream(result).filter(size -> size < 0).count() > 1) {
      return null;
    }
    int free = -1;
    long known = 1;
    for (int i = 0; i < result.length; i++) {
      if (result[i] == 0 && i < first.rank()) {
        result[i] = first.shape[i];
      }
      if (result[i] < 0) {
        free = i;
      } else {
        known = Sizes.times(known, result[i]);
      }
    }
    if (free >= 0) {
      result[free] = known == 0 ? 0 : Sizes.elements(first.shape) / known;
    }
    return first.reshaped(result);
  }

  private Constant flatten() {
    Attribute attribute = attributes.get("axis");
    long axis = attribute == null ? 1 : attribute.integer;
    long from = axis < 0 ? axis + first.rank() : axis;
    int split = (int) Math.max(0, Math.min(first.rank(), from));
    return first.reshaped(
        Sizes.elements(Arrays.copyOf(first.shape, split)),
        Sizes.elements(Arrays.copyOfRange(first.shape, split, first.rank())));
  }

  private @Nullable Constant transpose() {
    Attribute attribute = attributes.get("perm");
    long[] order = attribute == null ? null : attribute.integers.integers();
    if (order == null || order.length != first.rank()) {
      return attribute == null ? first.rank() < 2 ? first : reversed() : null;
    }
    long[] result = new long[order.length];
    for (int i = 0; i < order.length; i++) {
      if (order[i] < 0 || order[i] >= first.rank()) {
        return null;
      }
      result[i] = first.shape[(int) order[i]];
    }
    return Constant.shaped(first.type, result);
  }

  private Constant reversed() {
    long[] result = new long[first.rank()];
    for (int i = 0; i < result.length; i++) {
      result[i] = first.shape[result.length - 1 - i];
    }
    return Constant.shaped(first.type, result);
  }
}
