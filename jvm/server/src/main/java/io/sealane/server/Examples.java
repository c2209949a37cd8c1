package io.sealane.server;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Signature;
import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.core.TextBytes;
import io.sealane.protocols.serving.Input;
import io.sealane.protocols.tensorflow.Example;
import io.sealane.protocols.tensorflow.Feature;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Examples, as classify and regress take them: each is one row of every input, and has a feature of
 * the input's name whose values are that row. Features that are no inputs are passed over.
 */
final class Examples {
  private Examples() {}

  /**
   * The inputs of a REST body, out of its {@code examples} and {@code context}.
   *
   * @throws SealaneException REQUEST_INVALID, INPUT_MISSING
   */
  static Map<String, Tensor> of(Signature signature, Map<String, @Nullable Object> body) {
    if (!(body.get("examples") instanceof List<?> listed)) {
      throw Requests.invalid("the request needs examples, a list of objects");
    }
    List<Map<?, ?>> examples = new ArrayList<>();
    for (Object example : listed) {
      examples.add(object(example, "an example"));
    }
    Map<?, ?> context = object(body.getOrDefault("context", Map.of()), "the context");
    return inputs(
        signature,
        spec -> {
          List<@Nullable Object> leaves = new ArrayList<>();
          List<List<?>> rows =
              rows(spec, examples, context, new Objects()).stream()
                  .<List<?>>map(of -> values(of.get(spec.name())))
                  .toList();
          long[] dims = dims(spec, rows.stream().map(List::size).toList());
          rows.forEach(leaves::addAll);
          return NestedTensors.of(spec, dims, leaves);
        });
  }

  private static Map<?, ?> object(@Nullable Object value, String what) {
    if (value instanceof Map<?, ?> object) {
      return object;
    }
    throw Requests.invalid(what + " must be an object of features");
  }

  private static List<?> values(@Nullable Object feature) {
    return feature instanceof List<?> list ? list : Collections.singletonList(feature);
  }

  /** How many examples there are. */
  static int count(Input input) {
    return examples(input).size();
  }

  private static List<Example> examples(Input input) {
    return input.hasExampleListWithContext()
        ? input.getExampleListWithContext().getExamplesList()
        : input.getExampleList().getExamplesList();
  }

  /**
   * The inputs of a call over gRPC.
   *
   * @throws SealaneException REQUEST_INVALID, INPUT_MISSING
   */
  static Map<String, Tensor> of(Signature signature, Input input) {
    Example context = input.getExampleListWithContext().getContext();
    return inputs(
        signature,
        spec -> {
          List<Feature> rows = rows(spec, examples(input), context, new Messages());
          return tensor(spec, dims(spec, rows.stream().map(Examples::count).toList()), rows);
        });
  }

  private static int count(Feature feature) {
    return switch (feature.getKindCase()) {
      case BYTES_LIST -> feature.getBytesList().getValueCount();
      case FLOAT_LIST -> feature.getFloatList().getValueCount();
      case INT64_LIST -> feature.getInt64List().getValueCount();
      case KIND_NOT_SET -> 0;
    };
  }

  private interface Lookup<E, F> {
    @Nullable F feature(E example, String name);

    /** About how many bytes a feature of an example is. */
    long bytes(F feature, String name);
  }

  /** Of JSON; a feature is the object that has it, as it may be null. */
  private static final class Objects implements Lookup<Map<?, ?>, Map<?, ?>> {
    @Override
    public @Nullable Map<?, ?> feature(Map<?, ?> example, String name) {
      return example.containsKey(name) ? example : null;
    }

    @Override
    public long bytes(Map<?, ?> feature, String name) {
      return values(feature.get(name)).stream()
          .mapToLong(value -> value instanceof String text ? text.length() : Long.BYTES)
          .sum();
    }
  }

  private static final class Messages implements Lookup<Example, Feature> {
    @Override
    public @Nullable Feature feature(Example example, String name) {
      Feature feature = example.getFeatures().getFeatureMap().get(name);
      return feature == null || feature.getKindCase() == Feature.KindCase.KIND_NOT_SET
          ? null
          : feature;
    }

    @Override
    public long bytes(Feature feature, String name) {
      boolean text = feature.hasBytesList();
      return text ? feature.getBytesList().getSerializedSize() : (long) Long.BYTES * count(feature);
    }
  }

  /** One input's feature in each example, or in the context for all. */
  private static <E, F> List<F> rows(
      TensorSpec spec, List<? extends E> examples, E context, Lookup<E, F> lookup) {
    if (examples.isEmpty()) {
      throw Requests.invalid("there are no examples");
    }
    F shared = lookup.feature(context, spec.name());
    if (shared != null) {
      Requests.requireFew(spec.name(), lookup.bytes(shared, spec.name()), examples.size());
    }
    List<F> rows = new ArrayList<>();
    for (E example : examples) {
      F own = lookup.feature(example, spec.name());
      String where = "example " + rows.size();
      if (own != null && shared != null) {
        throw Requests.invalid(
            "feature '" + spec.name() + "' is in the context and in " + where + " too");
      }
      F row = own == null ? shared : own;
      if (row == null) {
        throw new SealaneException(
            ErrorCode.INPUT_MISSING, where + " has no feature '" + spec.name() + "'");
      }
      rows.add(row);
    }
    return rows;
  }

  private static Map<String, Tensor> inputs(Signature signature, Function<TensorSpec, Tensor> of) {
    if (signature.inputs().isEmpty()) {
      throw Requests.invalid("the model has no inputs that examples could be");
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    try {
      signature.inputs().forEach(spec -> inputs.put(spec.name(), of.apply(spec)));
      return inputs;
    } catch (RuntimeException | Error refused) {
      inputs.values().forEach(Tensor::close);
      throw refused;
    }
  }

  /** The dims of rows of so many values; one dim of a row may be of any size. */
  private static long[] dims(TensorSpec spec, List<Integer> counts) {
    if (spec.dims().isEmpty()) {
      throw Requests.invalid("input '" + spec.name() + "' has no rows that examples could be");
    }
    int each = counts.get(0);
    long[] dims = V2Models.shape(spec).stream().mapToLong(Long::longValue).toArray();
    dims[0] = counts.size();
    int free = -1;
    long size = 1;
    for (int axis = 1; axis < dims.length; axis++) {
      if (dims[axis] >= 0) {
        size *= dims[axis];
      } else if (free >= 0) {
        throw Requests.invalid(
            "input '" + spec.name() + "' has several free dims, which a list does not tell");
      } else {
        free = axis;
      }
    }
    if (free >= 0) {
      dims[free] = size == 0 ? 0 : each / size;
      size *= dims[free];
    }
    for (int row = 0; row < counts.size(); row++) {
      if (counts.get(row) != size) {
        throw wrong(spec, row, "has " + counts.get(row) + " values, expected " + size);
      }
    }
    return dims;
  }

  private static SealaneException wrong(TensorSpec spec, int row, String problem) {
    return Requests.invalid("feature '" + spec.name() + "' of example " + row + " " + problem);
  }

  private static Tensor tensor(TensorSpec spec, long[] dims, List<Feature> rows) {
    Feature.KindCase kind =
        switch (spec.dtype()) {
          case BYTES -> Feature.KindCase.BYTES_LIST;
          case FP32, FP64 -> Feature.KindCase.FLOAT_LIST;
          case FP16, BF16 ->
              throw Requests.invalid(
                  "input '" + spec.name() + "' is " + spec.dtype() + ", which no feature has");
          default -> Feature.KindCase.INT64_LIST;
        };
    for (int row = 0; row < rows.size(); row++) {
      Feature.KindCase given = rows.get(row).getKindCase();
      if (given != kind) {
        throw wrong(
            spec, row, "is a " + name(given) + ", expected " + name(kind) + " for " + spec.dtype());
      }
    }
    Shape shape = Shape.of(dims);
    if (spec.dtype() == DataType.BYTES) {
      return Tensor.bytes(shape, texts(rows));
    }
    Tensor tensor = Tensor.allocate(spec.dtype(), shape);
    try {
      ByteBuffer memory = tensor.buffer();
      for (int row = 0; row < rows.size(); row++) {
        fill(spec, row, rows.get(row), memory);
      }
      return tensor;
    } catch (RuntimeException refused) {
      tensor.close();
      throw refused;
    }
  }

  private static String name(Feature.KindCase kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  private static String[] texts(List<Feature> rows) {
    return rows.stream()
        .flatMap(feature -> feature.getBytesList().getValueList().stream())
        .map(text -> TextBytes.decode(text.asReadOnlyByteBuffer()))
        .toArray(String[]::new);
  }

  private static void fill(TensorSpec spec, int row, Feature feature, ByteBuffer to) {
    for (float value : feature.getFloatList().getValueList()) {
      if (spec.dtype() == DataType.FP32) {
        to.putFloat(value);
      } else {
        to.putDouble(value);
      }
    }
    for (long value : feature.getInt64List().getValueList()) {
      if (!holds(spec.dtype(), value)) {
        throw wrong(spec, row, "has " + value + ", which is no " + spec.dtype());
      }
      switch (spec.dtype().width()) {
        case 1 -> to.put((byte) value);
        case 2 -> to.putShort((short) value);
        case 4 -> to.putInt((int) value);
        default -> to.putLong(value);
      }
    }
  }

  private static boolean holds(DataType dtype, long value) {
    return switch (dtype) {
      case BOOL -> value == 0 || value == 1;
      case INT64 -> true;
      case UINT64 -> value >= 0;
      case INT8, INT16, INT32 -> {
        int unused = 64 - 8 * dtype.width();
        yield value << unused >> unused == value;
      }
      default -> value >= 0 && value >>> (8 * dtype.width()) == 0;
    };
  }
}
