package io.sealane.bridge;

import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Session;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** The outputs of one run, by position in the order asked for. */
final class CallResult implements AutoCloseable {
  private final Outputs outputs;
  private final List<Tensor> ordered;

  private CallResult(Outputs outputs, List<String> names) {
    this.outputs = outputs;
    this.ordered = names.stream().map(outputs::get).toList();
  }

  static CallResult of(
      Session session, long[] sizes, @Nullable ByteBuffer[] inputs, List<String> names) {
    Map<String, Tensor> given = Sizes.wrap(session.signature().inputs(), sizes, inputs);
    try {
      return new CallResult(session.run(given, names), names);
    } finally {
      Sizes.close(given);
    }
  }

  long[] sizes() {
    return ordered.stream()
        .map(Tensor::shape)
        .flatMapToLong(
            shape -> LongStream.concat(LongStream.of(shape.rank()), LongStream.of(shape.dims())))
        .toArray();
  }

  void read(int index, ByteBuffer target) {
    ordered.get(index).copyTo(target.duplicate().order(ByteOrder.nativeOrder()));
  }

  byte[] text(int index) {
    return TextBlock.encode(ordered.get(index).strings());
  }

  @Override
  public void close() {
    outputs.close();
  }
}
