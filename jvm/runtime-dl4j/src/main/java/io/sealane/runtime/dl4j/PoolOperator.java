package io.sealane.runtime.dl4j;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code max_pool} and {@code average_pool}. */
final class PoolOperator extends Operator {
  private final Windows windows;
  private final boolean maximum;
  private final boolean countPadding;

  private PoolOperator(Windows windows, boolean maximum, boolean countPadding) {
    this.windows = windows;
    this.maximum = maximum;
    this.countPadding = countPadding;
  }

  static PoolOperator maximum(Windows windows) {
    return new PoolOperator(windows, true, false);
  }

  static PoolOperator average(Windows windows, boolean countPadding) {
    return new PoolOperator(windows, false, countPadding);
  }

  /** Takes the place of one window and the bounds of its values inside of the plane. */
  private interface Visitor {
    void visit(int window, int top, int bottom, int left, int right);
  }

  private void walk(int height, int width, Visitor visitor) {
    int outHeight = windows.outHeight(height);
    int outWidth = windows.outWidth(width);
    for (int i = 0; i < outHeight; i++) {
      int top = i * windows.strideHeight() - windows.top();
      int bottom = Math.min(top + windows.kernelHeight(), height);
      for (int j = 0; j < outWidth; j++) {
        int left = j * windows.strideWidth() - windows.left();
        int right = Math.min(left + windows.kernelWidth(), width);
        visitor.visit(i * outWidth + j, Math.max(top, 0), bottom, Math.max(left, 0), right);
      }
    }
  }

  private static int height(INDArray array) {
    return array.rank() == 3 ? 1 : Math.toIntExact(array.size(2));
  }

  private static int width(INDArray array) {
    return Math.toIntExact(array.size(array.rank() - 1));
  }

  @Override
  INDArray forward(INDArray[] inputs, Pass pass) {
    int height = height(inputs[0]);
    int width = width(inputs[0]);
    long[] shape = inputs[0].shape().clone();
    if (shape.length == 4) {
      shape[2] = windows.outHeight(height);
    }
    shape[shape.length - 1] = windows.outWidth(width);
    INDArray output = pass.value(shape);
    Floats in = Floats.of(inputs[0]);
    Floats out = Floats.of(output);
    float[] plane = new float[height * width];
    float[] pooled = new float[windows.outHeight(height) * windows.outWidth(width)];
    for (int i = 0; i * plane.length < in.count(); i++) {
      in.read(i * plane.length, plane, plane.length);
      pool(plane, pooled, height, width);
      out.write(i * pooled.length, pooled, pooled.length);
    }
    return output;
  }

  /** All windows of one plane, one place of the kernel after the other. */
  private void pool(float[] plane, float[] pooled, int height, int width) {
    int outWidth = windows.outWidth(width);
    java.util.Arrays.fill(pooled, maximum ? Float.NEGATIVE_INFINITY : 0);
    for (int row = 0; row < pooled.length; row += outWidth) {
      int top = row / outWidth * windows.strideHeight() - windows.top();
      int bottom = Math.min(top + windows.kernelHeight(), height);
      for (int y = Math.max(top, 0); y < bottom; y++) {
        for (int place = 0; place < windows.kernelWidth(); place++) {
          gather(plane, pooled, row, outWidth, y * width, place - windows.left(), width);
        }
      }
    }
    if (!maximum) {
      walk(
          height,
          width,
          (window, top, bottom, left, right) ->
              pooled[window] /= divisor(top, bottom, left, right));
    }
  }

  /** Adds to one row of windows the values of {@code line} that lie {@code shift} from each. */
  private void gather(
      float[] plane, float[] pooled, int row, int outWidth, int line, int shift, int width) {
    int stride = windows.strideWidth();
    int first = shift < 0 ? (stride - 1 - shift) / stride : 0;
    int end = Math.min(outWidth, Math.floorDiv(width - 1 - shift, stride) + 1);
    if (maximum) {
      for (int j = first; j < end; j++) {
        pooled[row + j] = Math.max(pooled[row + j], plane[line + shift + j * stride]);
      }
    } else {
      for (int j = first; j < end; j++) {
        pooled[row + j] += plane[line + shift + j * stride];
      }
    }
  }

  private static int largest(float[] plane, int width, int top, int bottom, int left, int right) {
    int best = top * width + left;
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        float value = plane[y * width + x];
        if (value > plane[best] || (Float.isNaN(value) && !Float.isNaN(plane[best]))) {
          best = y * width + x;
        }
      }
    }
    return best;
  }

  private int divisor(int top, int bottom, int left, int right) {
    return countPadding
        ? windows.kernelHeight() * windows.kernelWidth()
        : (bottom - top) * (right - left);
  }

  @Override
  @Nullable INDArray[] backward(INDArray[] inputs, INDArray error, boolean[] wanted, Pass pass) {
    if (!wanted[0]) {
      return new INDArray[1];
    }
    int height = height(inputs[0]);
    int width = width(inputs[0]);
    INDArray result = pass.gradient(inputs[0].shape());
    Floats in = Floats.of(inputs[0]);
    Floats dy = Floats.of(error);
    Floats dx = Floats.of(result);
    float[] plane = new float[height * width];
    float[] gradient = new float[plane.length];
    float[] above = new float[windows.outHeight(height) * windows.outWidth(width)];
    for (int i = 0; i * plane.length < in.count(); i++) {
      in.read(i * plane.length, plane, plane.length);
      dy.read(i * above.length, above, above.length);
      java.util.Arrays.fill(gradient, 0);
      walk(
          height,
          width,
          (window, top, bottom, left, right) -> {
            if (maximum) {
              gradient[largest(plane, width, top, bottom, left, right)] += above[window];
            } else {
              float share = above[window] / divisor(top, bottom, left, right);
              spread(gradient, share, width, top, bottom, left, right);
            }
          });
      dx.write(i * gradient.length, gradient, gradient.length);
    }
    return new INDArray[] {result};
  }

  private static void spread(
      float[] plane, float share, int width, int top, int bottom, int left, int right) {
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        plane[y * width + x] += share;
      }
    }
  }
}
