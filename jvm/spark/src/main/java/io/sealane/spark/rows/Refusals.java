package io.sealane.spark.rows;

import io.sealane.core.ErrorCode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Which rows of a batch were turned away, and why; the first reason of a row stays. */
public final class Refusals {
  private boolean[] refused = new boolean[0];
  private @Nullable ErrorCode[] codes = new ErrorCode[0];
  private @Nullable String[] messages = new String[0];
  private int count;
  private int base;

  void reset(int rows) {
    if (refused.length < rows) {
      refused = new boolean[rows];
      codes = new ErrorCode[rows];
      messages = new String[rows];
    } else if (count > 0) {
      Arrays.fill(refused, false);
      Arrays.fill(codes, null);
      Arrays.fill(messages, null);
    }
    count = 0;
    base = 0;
  }

  /** From now on rows are counted from there. */
  void startAt(int row) {
    base = row;
  }

  void refuse(int row, Refused reason) {
    refuse(row, reason.code(), String.valueOf(reason.getMessage()));
  }

  void refuse(int row, ErrorCode code, String message) {
    if (!refused[base + row]) {
      refused[base + row] = true;
      codes[base + row] = code;
      messages[base + row] = message;
      count++;
    }
  }

  /** Whether that row was turned away. */
  public boolean isRefused(int row) {
    return refused[base + row];
  }

  /** How many rows were. */
  public int count() {
    return count;
  }

  /** Why. */
  public ErrorCode code(int row) {
    return java.util.Objects.requireNonNull(codes[base + row]);
  }

  /** Input, what was expected and what received. */
  public String message(int row) {
    return java.util.Objects.requireNonNull(messages[base + row]);
  }
}
