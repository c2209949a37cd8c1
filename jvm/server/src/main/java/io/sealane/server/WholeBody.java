package io.sealane.server;

import io.sealane.core.Tensor;
import io.sealane.core.TensorSpec;
import io.sealane.serving.ServedVersion;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A body that is all the bytes of one input. */
final class WholeBody {
  private WholeBody() {}

  /**
   * One row of it where the model has a batch dim; one other free dim is as long as the bytes are.
   *
   * @throws io.sealane.core.SealaneException REQUEST_INVALID when the bytes are not the input's
   */
  static Tensor row(ServedVersion version, TensorSpec spec, byte[] body) {
    long[] dims = V2Models.shape(spec).stream().mapToLong(Long::longValue).toArray();
    int free = -1;
    for (int axis = 0; axis < dims.length; axis++) {
      if (dims[axis] < 0) {
        boolean batch = axis == 0 && version.maxRows() > 0;
        if (!batch && free >= 0) {
          throw Requests.invalid("the sizes of input '" + spec.name() + "' can not be told");
        }
        free = batch ? free : axis;
        dims[axis] = 1;
      }
    }
    if (free >= 0) {
      long row = Arrays.stream(dims).reduce(1, Math::multiplyExact);
      dims[free] = body.length / Math.max(row * Math.max(spec.dtype().width(), 1), 1);
    }
    return RawTensors.read(spec.name(), spec.dtype(), dims, ByteBuffer.wrap(body));
  }
}
