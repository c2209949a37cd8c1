package io.sealane.spark.rows;

import io.sealane.core.DataType;
import io.sealane.core.Domain;
import io.sealane.core.Float16;
import io.sealane.core.TensorSpec;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;

/** Converts one element of Spark into one element of a tensor, or refuses the row. */
abstract class ElementWriter {
  private static final double MICROS = 1e6;
  private static final double DAY = 86_400;

  final TensorSpec spec;

  private ElementWriter(TensorSpec spec) {
    this.spec = spec;
  }

  /** Writes the value at {@code ordinal}, which is not null. */
  abstract void writePresent(SpecializedGetters from, int ordinal, InputBuffer to, int element);

  /** Writes what stands for a missing value. */
  void writeMissing(InputBuffer to, int element) {
    throw Refused.missing(spec);
  }

  final void write(SpecializedGetters from, int ordinal, InputBuffer to, int element) {
    if (from.isNullAt(ordinal)) {
      writeMissing(to, element);
    } else {
      writePresent(from, ordinal, to, element);
    }
  }

  static ElementWriter of(TensorSpec spec, org.apache.spark.sql.types.DataType type) {
    Element element = Element.of(type);
    if (element == null || !element.fits(spec.dtype(), type)) {
      throw new IllegalArgumentException(type.catalogString() + " for " + spec);
    }
    return switch (spec.dtype()) {
      case BOOL -> new Bool(spec);
      case BYTES -> new Text(spec, element == Element.BINARY);
      case FP16, BF16, FP32, FP64 -> new Floating(spec, element, type);
      default -> element == Element.DECIMAL ? new Unsigned64(spec) : new Whole(spec, element);
    };
  }

  private static boolean nullable(TensorSpec spec) {
    Domain domain = spec.domain();
    return domain != null && domain.nullable();
  }

  private static long integer(SpecializedGetters from, int ordinal, Element element) {
    return switch (element) {
      case BYTE -> from.getByte(ordinal);
      case SHORT -> from.getShort(ordinal);
      case INT -> from.getInt(ordinal);
      default -> from.getLong(ordinal);
    };
  }

  private static final class Bool extends ElementWriter {
    Bool(TensorSpec spec) {
      super(spec);
    }

    @Override
    void writePresent(SpecializedGetters from, int ordinal, InputBuffer to, int element) {
      to.putByte(element, (byte) (from.getBoolean(ordinal) ? 1 : 0));
    }
  }

  private static final class Text extends ElementWriter {
    private final boolean binary;
    private final boolean nullable;

    Text(TensorSpec spec, boolean binary) {
      super(spec);
      this.binary = binary;
      this.nullable = nullable(spec);
    }

    @Override
    void writePresent(SpecializedGetters from, int ordinal, InputBuffer to, int element) {
      byte[] utf8 = binary ? from.getBinary(ordinal) : from.getUTF8String(ordinal).getBytes();
      to.putText(element, decoded(utf8));
    }

    private String decoded(byte[] utf8) {
      String text = new String(utf8, StandardCharsets.UTF_8);
      if (text.indexOf('\ufffd') >= 0) {
        try {
          return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
        } catch (CharacterCodingException bad) {
          throw Refused.unfit(spec, "bytes that are not UTF-8");
        }
      }
      return text;
    }

    @Override
    void writeMissing(InputBuffer to, int element) {
      if (!nullable) {
        super.writeMissing(to, element);
      }
      to.putText(element, null);
    }
  }

  private static final class Floating extends ElementWriter {
    private final Element element;
    private final boolean nullable;
    private final boolean plainSingle;
    private final int precision;
    private final int scale;
    private final long exact;

    Floating(TensorSpec spec, Element element, org.apache.spark.sql.types.DataType type) {
      super(spec);
      this.element = element;
      this.nullable = nullable(spec);
      this.plainSingle = element == Element.FLOAT && spec.dtype() == DataType.FP32;
      this.precision = type instanceof DecimalType decimal ? decimal.precision() : 0;
      this.scale = type instanceof DecimalType decimal ? decimal.scale() : 0;
      this.exact = 1L << mantissaBits(spec.dtype());
    }

    @Override
    void writePresent(SpecializedGetters from, int ordinal, InputBuffer to, int index) {
      if (plainSingle) {
        to.bytes().putFloat(index * 4, from.getFloat(ordinal));
        return;
      }
      switch (element) {
        case FLOAT -> to.putFloating(index, from.getFloat(ordinal));
        case DOUBLE -> to.putFloating(index, from.getDouble(ordinal));
        case DATE -> to.putFloating(index, from.getInt(ordinal) * DAY);
        case TIMESTAMP -> to.putFloating(index, from.getLong(ordinal) / MICROS);
        case DECIMAL ->
            to.putFloating(index, from.getDecimal(ordinal, precision, scale).toDouble());
        default -> to.putFloating(index, requireExact(integer(from, ordinal, element)));
      }
    }

    @Override
    void writeMissing(InputBuffer to, int index) {
      if (!nullable) {
        super.writeMissing(to, index);
      }
      to.putFloating(index, Double.NaN);
    }

    private double requireExact(long value) {
      if ((value > exact || value < -exact) && !isExact(value)) {
        throw Refused.unfit(spec, value);
      }
      return value;
    }

    private boolean isExact(long value) {
      double stored =
          switch (spec.dtype()) {
            case FP64 -> value;
            case FP32 -> (float) value;
            case FP16 -> Float16.fromHalf(Float16.toHalf((float) value));
            default -> Float16.fromBfloat(Float16.toBfloat((float) value));
          };
      return value != Long.MAX_VALUE && (long) stored == value;
    }

    private static int mantissaBits(DataType dtype) {
      return switch (dtype) {
        case FP64 -> 53;
        case FP32 -> 24;
        case FP16 -> 11;
        default -> 8;
      };
    }
  }

  private static final class Whole extends ElementWriter {
    private final Element element;
    private final long min;
    private final long max;

    Whole(TensorSpec spec, Element element) {
      super(spec);
      this.element = element;
      int bits = spec.dtype().width() * 8;
      boolean unsigned = spec.dtype().name().startsWith("U");
      this.min = unsigned ? 0 : -1L << (bits - 1);
      this.max = unsigned && bits < 64 ? (1L << bits) - 1 : Long.MAX_VALUE >>> (64 - bits);
    }

    @Override
    void writePresent(SpecializedGetters from, int ordinal, InputBuffer to, int index) {
      long value = integer(from, ordinal, element);
      if (value < min || value > max) {
        throw Refused.unfit(spec, value);
      }
      to.putInteger(index, value);
    }
  }

  private static final class Unsigned64 extends ElementWriter {
    private static final int DIGITS = 20;

    Unsigned64(TensorSpec spec) {
      super(spec);
    }

    @Override
    void writePresent(SpecializedGetters from, int ordinal, InputBuffer to, int index) {
      Decimal decimal = from.getDecimal(ordinal, DIGITS, 0);
      BigInteger value = decimal.toJavaBigDecimal().toBigInteger();
      if (value.signum() < 0 || value.bitLength() > 64) {
        throw Refused.unfit(spec, value);
      }
      to.putInteger(index, value.longValue());
    }
  }
}
