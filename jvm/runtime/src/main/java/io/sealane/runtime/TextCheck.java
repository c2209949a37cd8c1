package io.sealane.runtime;

import io.sealane.core.Domain;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.core.TextBytes;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Missing values, vocabulary and encoding of BYTES inputs. */
final class TextCheck implements ValueCheck {
  private final TensorSpec spec;
  private final boolean nullable;
  private final @Nullable Set<String> known;

  TextCheck(TensorSpec spec) {
    this.spec = spec;
    Domain domain = spec.domain();
    this.nullable = domain != null && domain.nullable();
    Set<String> vocabulary = domain == null || !domain.closed() ? null : domain.vocabulary();
    if (vocabulary == null) {
      this.known = null;
    } else {
      this.known = new HashSet<>(vocabulary);
      if (nullable) {
        this.known.add("");
      }
    }
  }

  @Override
  public void check(Tensor tensor) {
    @Nullable String[] values = tensor.strings();
    for (int i = 0; i < values.length; i++) {
      String value = values[i];
      if (value == null) {
        if (!nullable) {
          throw refused(ErrorCode.INPUT_NULL, tensor, i, "missing value", "a string", "null");
        }
      } else if (known != null && !known.contains(value)) {
        throw refused(
            ErrorCode.INPUT_DOMAIN,
            tensor,
            i,
            "a value outside the closed vocabulary",
            "one of " + known.stream().sorted().limit(8).toList() + (known.size() > 8 ? "…" : ""),
            "'" + shortened(value) + "'");
      } else if (hasLoneSurrogate(value)) {
        throw refused(
            ErrorCode.INPUT_DTYPE,
            tensor,
            i,
            "text that is not Unicode",
            "surrogates in pairs",
            "a lone surrogate");
      }
    }
  }

  /** A byte that is no UTF-8 is none: whether bytes are read is the engine's to say. */
  private static boolean hasLoneSurrogate(String value) {
    for (int i = 0; i < value.length(); i++) {
      char unit = value.charAt(i);
      if (Character.isSurrogate(unit)) {
        boolean paired =
            Character.isHighSurrogate(unit)
                && i + 1 < value.length()
                && Character.isLowSurrogate(value.charAt(i + 1));
        if (!paired && !TextBytes.isByte(unit)) {
          return true;
        }
        i += paired ? 1 : 0;
      }
    }
    return false;
  }

  private static String shortened(String value) {
    String cut = value.length() <= 80 ? value : value.substring(0, 80) + "…";
    // What has no UTF-8 can not be told in every protocol.
    return new String(cut.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  private SealaneException refused(
      ErrorCode code, Tensor tensor, int index, String problem, String expected, String received) {
    long row = ValueCheck.row(tensor.shape(), index);
    return ValueCheck.refused(code, spec, row, problem, expected, received);
  }
}
