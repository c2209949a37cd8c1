package io.sealane.training.oracle;

import io.sealane.bundle.network.Op;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operators over 1 or 2 spatial dims, the former as the latter of height 1. */
final class Windowed {
  private final Values x;
  private final boolean flat;
  private final int height;
  private final int width;

  private Windowed(Values x) {
    this.x = x;
    this.flat = x.rank() == 3;
    this.height = flat ? 1 : x.dim(2);
    this.width = flat ? x.dim(2) : x.dim(3);
  }

  /** A window's sizes in both spatial dims. */
  private static final class Window {
    final int[] kernel;
    final int[] strides;
    final int[] dilations;
    final int[] begins;
    final int outHeight;
    final int outWidth;

    Window(
        int[] kernel, int[] strides, int[] dilations, int[] begins, int outHeight, int outWidth) {
      this.kernel = kernel;
      this.strides = strides;
      this.dilations = dilations;
      this.begins = begins;
      this.outHeight = outHeight;
      this.outWidth = outWidth;
    }
  }

  private static int[] pair(List<Integer> values, int neutral) {
    return values.size() == 1
        ? new int[] {neutral, values.get(0)}
        : new int[] {values.get(0), values.get(1)};
  }

  private Window window(
      List<Integer> kernel, List<Integer> strides, List<Integer> dilations, List<Integer> pads) {
    int spatial = kernel.size();
    int[] begins = pair(pads.subList(0, spatial), 0);
    int[] ends = pair(pads.subList(spatial, 2 * spatial), 0);
    int[] k = pair(kernel, 1);
    int[] s = pair(strides, 1);
    int[] d = pair(dilations, 1);
    int outHeight = (height + begins[0] + ends[0] - d[0] * (k[0] - 1) - 1) / s[0] + 1;
    int outWidth = (width + begins[1] + ends[1] - d[1] * (k[1] - 1) - 1) / s[1] + 1;
    return new Window(k, s, d, begins, outHeight, outWidth);
  }

  private int[] shape(int channels, Window window) {
    return flat
        ? new int[] {x.dim(0), channels, window.outWidth}
        : new int[] {x.dim(0), channels, window.outHeight, window.outWidth};
  }

  static Values conv(Op.Conv op, Values x, Values weight, @Nullable Values bias) {
    Windowed input = new Windowed(x);
    List<Integer> kernel =
        x.rank() == 3 ? List.of(weight.dim(2)) : List.of(weight.dim(2), weight.dim(3));
    Window window = input.window(kernel, op.strides(), op.dilations(), op.pads());
    int out = weight.dim(0);
    Values result = Values.zeros(input.shape(out, window));
    int area = window.outHeight * window.outWidth;
    for (int n = 0; n < x.dim(0); n++) {
      for (int o = 0; o < out; o++) {
        for (int p = 0; p < area; p++) {
          double sum = input.product(n, o, p, op.groups(), weight, window);
          result.data()[(n * out + o) * area + p] = sum + (bias == null ? 0 : bias.data()[o]);
        }
      }
    }
    return result;
  }

  /** One output's sum over its window and its group's channels. */
  private double product(int n, int o, int p, int groups, Values weight, Window window) {
    int channels = weight.dim(1);
    int first = o / (weight.dim(0) / groups) * channels;
    int[] k = window.kernel;
    double sum = 0;
    for (int c = 0; c < channels; c++) {
      for (int i = 0; i < k[0] * k[1]; i++) {
        int place = place(n, first + c, p, i, window);
        if (place >= 0) {
          sum += x.data()[place] * weight.data()[(o * channels + c) * k[0] * k[1] + i];
        }
      }
    }
    return sum;
  }

  /** Where element {@code i} of the window at output {@code p} lies, or -1 in the padding. */
  private int place(int n, int channel, int p, int i, Window window) {
    int row =
        p / window.outWidth * window.strides[0]
            + i / window.kernel[1] * window.dilations[0]
            - window.begins[0];
    int column =
        p % window.outWidth * window.strides[1]
            + i % window.kernel[1] * window.dilations[1]
            - window.begins[1];
    boolean inside = row >= 0 && row < height && column >= 0 && column < width;
    return inside ? ((n * x.dim(1) + channel) * height + row) * width + column : -1;
  }

  static Values maxPool(Op.MaxPool op, Values x) {
    Windowed input = new Windowed(x);
    Window window = input.window(op.kernel(), op.strides(), ones(op.kernel()), op.pads());
    return input.pool(window, true, false);
  }

  static Values averagePool(Op.AveragePool op, Values x) {
    Windowed input = new Windowed(x);
    Window window = input.window(op.kernel(), op.strides(), ones(op.kernel()), op.pads());
    return input.pool(window, false, op.countPadding());
  }

  private static List<Integer> ones(List<Integer> kernel) {
    return kernel.stream().map(size -> 1).toList();
  }

  private Values pool(Window window, boolean max, boolean countPadding) {
    int channels = x.dim(1);
    Values result = Values.zeros(shape(channels, window));
    int area = window.outHeight * window.outWidth;
    int size = window.kernel[0] * window.kernel[1];
    for (int at = 0; at < result.data().length; at++) {
      int n = at / area / channels;
      int channel = at / area % channels;
      double sum = 0;
      double largest = Double.NEGATIVE_INFINITY;
      int inside = 0;
      for (int i = 0; i < size; i++) {
        int place = place(n, channel, at % area, i, window);
        if (place >= 0) {
          sum += x.data()[place];
          largest = Math.max(largest, x.data()[place]);
          inside++;
        }
      }
      result.data()[at] = max ? largest : sum / (countPadding ? size : inside);
    }
    return result;
  }

  static Values globalPool(Values x, boolean max) {
    int area = x.below(2);
    Values result = Values.zeros(x.dim(0), x.dim(1));
    for (int at = 0; at < result.data().length; at++) {
      double sum = 0;
      double largest = Double.NEGATIVE_INFINITY;
      for (int i = at * area; i < (at + 1) * area; i++) {
        sum += x.data()[i];
        largest = Math.max(largest, x.data()[i]);
      }
      result.data()[at] = max ? largest : sum / area;
    }
    return result;
  }

  static Values pad(Op.Pad op, Values x) {
    Windowed input = new Windowed(x);
    int spatial = op.pads().size() / 2;
    int[] begins = pair(op.pads().subList(0, spatial), 0);
    int[] ends = pair(op.pads().subList(spatial, 2 * spatial), 0);
    int height = input.height + begins[0] + ends[0];
    int width = input.width + begins[1] + ends[1];
    int planes = x.dim(0) * x.dim(1);
    double[] data = new double[planes * height * width];
    Arrays.fill(data, op.value());
    for (int plane = 0; plane < planes; plane++) {
      for (int row = 0; row < input.height; row++) {
        System.arraycopy(
            x.data(),
            (plane * input.height + row) * input.width,
            data,
            (plane * height + row + begins[0]) * width + begins[1],
            input.width);
      }
    }
    return new Values(
        input.flat
            ? new int[] {x.dim(0), x.dim(1), width}
            : new int[] {x.dim(0), x.dim(1), height, width},
        data);
  }
}
