package io.sealane.runtime;

import io.sealane.core.DataType;
import io.sealane.core.Domain;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.jspecify.annotations.Nullable;

/** Bounds of integer inputs, compared exactly, UINT64 as unsigned. */
final class IntegerCheck implements ValueCheck {
  private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

  private final TensorSpec spec;
  private final Domain domain;
  private final boolean unsigned;
  private final long min;
  private final long max;
  private final boolean none;

  IntegerCheck(TensorSpec spec, Domain domain) {
    this.spec = spec;
    this.domain = domain;
    this.unsigned = spec.dtype() == DataType.UINT64;
    BigInteger smallest = unsigned ? BigInteger.ZERO : BigInteger.valueOf(Long.MIN_VALUE);
    BigInteger largest =
        unsigned ? TWO_64.subtract(BigInteger.ONE) : BigInteger.valueOf(Long.MAX_VALUE);
    BigInteger low = whole(domain.min(), RoundingMode.CEILING, smallest).max(smallest);
    BigInteger high = whole(domain.max(), RoundingMode.FLOOR, largest).min(largest);
    this.none = low.compareTo(high) > 0;
    this.min = low.longValue();
    this.max = high.longValue();
  }

  private static BigInteger whole(@Nullable Double bound, RoundingMode mode, BigInteger unbounded) {
    return bound == null ? unbounded : new BigDecimal(bound).setScale(0, mode).toBigInteger();
  }

  @Override
  public void check(Tensor tensor) {
    long[] values = tensor.longs();
    for (int i = 0; i < values.length; i++) {
      long value = values[i];
      boolean inside =
          unsigned
              ? Long.compareUnsigned(value, min) >= 0 && Long.compareUnsigned(value, max) <= 0
              : value >= min && value <= max;
      if (none || !inside) {
        String received = unsigned ? Long.toUnsignedString(value) : Long.toString(value);
        throw ValueCheck.outside(spec, domain, tensor.shape(), i, received);
      }
    }
  }
}
