package io.sealane.training;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Rows to train on: raw columns of the bundle's signature, and a label for each row. The tensors
 * stay the caller's, who keeps them open and unchanged until training ends.
 */
public final class TrainingData {
  private final Map<String, Tensor> columns;
  private final Tensor labels;

  private TrainingData(Map<String, Tensor> columns, Tensor labels) {
    this.columns = Collections.unmodifiableMap(new LinkedHashMap<>(columns));
    this.labels = labels;
  }

  /**
   * Rows and labels.
   *
   * @param columns every input of the signature by name, [rows, …] each
   * @param labels of any numeric dtype or BOOL, [rows, …]: as many elements as the trained output
   *     has for these rows, or one class index per row for a categorical loss
   * @throws SealaneException INPUT_SHAPE when the labels have no rows
   */
  public static TrainingData of(Map<String, Tensor> columns, Tensor labels) {
    if (labels.shape().rank() == 0 || labels.shape().dim(0) == 0) {
      throw new SealaneException(
          ErrorCode.INPUT_SHAPE,
          "labels: expected [rows, ...] with at least one row, received " + labels.shape());
    }
    return new TrainingData(columns, labels);
  }

  /** The raw columns by signature name. */
  public Map<String, Tensor> columns() {
    return columns;
  }

  /** The labels. */
  public Tensor labels() {
    return labels;
  }

  /** The number of rows. */
  public int rows() {
    return Math.toIntExact(labels.shape().dim(0));
  }

  /**
   * Names this data: SHA-256 over names, dtypes, shapes and values, columns in the order of their
   * names.
   *
   * @return {@code sha256:} and 64 hex digits
   */
  public String fingerprint() {
    MessageDigest digest = sha256();
    columns.keySet().stream()
        .sorted()
        .forEach(
            name -> {
              text(digest, name);
              add(digest, Objects.requireNonNull(columns.get(name)));
            });
    add(digest, labels);
    return "sha256:" + HexFormat.of().formatHex(digest.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  private static void add(MessageDigest digest, Tensor tensor) {
    text(digest, tensor.dtype() + Arrays.toString(tensor.shape().dims()));
    if (tensor.dtype() != DataType.BYTES) {
      tensor.read(
          bytes -> {
            digest.update(bytes);
            return true;
          });
      return;
    }
    for (@Nullable String value : tensor.strings()) {
      text(digest, value);
    }
  }

  private static void text(MessageDigest digest, @Nullable String value) {
    byte[] bytes = value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, value == null ? -1 : bytes.length));
    digest.update(bytes);
  }
}
