package io.sealane.runtime.dl4j;

/**
 * Planes as the columns of a matrix [channels · kernel, windows], whose product with the weights is
 * a convolution; and back.
 *
 * @param windows how the windows lie
 * @param channels planes that one window covers
 * @param height rows of a plane
 * @param width columns of a plane
 */
record Columns(Windows windows, int channels, int height, int width) {
  /** Rows of the matrix. */
  int rows() {
    return channels * windows.kernelHeight() * windows.kernelWidth();
  }

  /** Columns of the matrix. */
  int count() {
    return windows.outHeight(height) * windows.outWidth(width);
  }

  /** Takes one row of the matrix: its plane, and where the kernel's value lies. */
  private interface Visitor {
    void visit(int row, int plane, int y, int x);
  }

  private void each(Visitor visitor) {
    int row = 0;
    for (int plane = 0; plane < channels; plane++) {
      for (int i = 0; i < windows.kernelHeight(); i++) {
        for (int j = 0; j < windows.kernelWidth(); j++) {
          visitor.visit(
              row++,
              plane,
              i * windows.dilationHeight() - windows.top(),
              j * windows.dilationWidth() - windows.left());
        }
      }
    }
  }

  /** Writes the matrix of the planes from {@code offset} on. */
  void expand(Floats planes, int offset, Floats matrix) {
    float[] plane = new float[height * width];
    float[] column = new float[count()];
    each(
        (row, channel, y, x) -> {
          planes.read(offset + channel * plane.length, plane, plane.length);
          move(plane, column, y, x, true);
          matrix.write(row * column.length, column, column.length);
        });
  }

  /** Writes the sums of the matrix' values by their places in the planes from {@code offset} on. */
  void collect(Floats matrix, Floats planes, int offset) {
    float[] plane = new float[height * width];
    float[] column = new float[count()];
    int kernel = windows.kernelHeight() * windows.kernelWidth();
    each(
        (row, channel, y, x) -> {
          if (row % kernel == 0) {
            java.util.Arrays.fill(plane, 0);
          }
          matrix.read(row * column.length, column, column.length);
          move(plane, column, y, x, false);
          if (row % kernel == kernel - 1) {
            planes.write(offset + channel * plane.length, plane, plane.length);
          }
        });
  }

  /** Between a plane and the values that one place of the kernel sees. */
  private void move(float[] plane, float[] column, int top, int left, boolean out) {
    int outWidth = windows.outWidth(width);
    for (int i = 0; i < column.length; i++) {
      int y = i / outWidth * windows.strideHeight() + top;
      int x = i % outWidth * windows.strideWidth() + left;
      boolean inside = y >= 0 && y < height && x >= 0 && x < width;
      if (out) {
        column[i] = inside ? plane[y * width + x] : 0;
      } else if (inside) {
        plane[y * width + x] += column[i];
      }
    }
  }
}
