package io.sealane.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One input or output of a model.
 *
 * @param name its name in the signature
 * @param dtype its element type
 * @param dims its dims in order
 * @param semantic what it means ({@code categorical}, {@code probability}, …), or null
 * @param domain which values are accepted, or null for all that the dtype can hold
 */
public record TensorSpec(
    String name,
    DataType dtype,
    List<Dim> dims,
    @Nullable String semantic,
    @Nullable Domain domain) {
  /** Copies the dims. */
  public TensorSpec {
    dims = List.copyOf(dims);
  }

  /** A spec without semantic and domain. */
  public static TensorSpec of(String name, DataType dtype, Dim... dims) {
    return new TensorSpec(name, dtype, List.of(dims), null, null);
  }

  @Override
  public String toString() {
    return name + ": " + dtype + dims;
  }
}
