package io.sealane.training.oracle;

/** Scaled dot-product attention between projected queries, keys and values. */
final class Attention {
  private Attention() {}

  /** Per head softmax(q kᵀ / √(e / heads)) v, heads side by side. */
  static Values mix(int heads, Values query, Values key, Values value) {
    int width = query.last();
    int size = width / heads;
    int queries = query.dim(1);
    int keys = key.dim(1);
    Values result = Values.zeros(query.shape());
    for (int n = 0; n < query.dim(0); n++) {
      for (int q = 0; q < queries; q++) {
        int row = (n * queries + q) * width;
        for (int start = 0; start < width; start += size) {
          double[] scores = new double[keys];
          for (int k = 0; k < keys; k++) {
            scores[k] = dot(query, row + start, key, (n * keys + k) * width + start, size);
          }
          Values shares = Functions.softmax(new Values(new int[] {1, keys}, scores), false);
          for (int k = 0; k < keys; k++) {
            for (int i = start; i < start + size; i++) {
              result.data()[row + i] += shares.data()[k] * value.data()[(n * keys + k) * width + i];
            }
          }
        }
      }
    }
    return result;
  }

  private static double dot(Values a, int from, Values b, int to, int size) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += a.data()[from + i] * b.data()[to + i];
    }
    return sum / Math.sqrt(size);
  }
}
