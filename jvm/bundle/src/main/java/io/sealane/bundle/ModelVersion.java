package io.sealane.bundle;

import java.math.BigInteger;
import java.util.Comparator;
import java.util.regex.Pattern;

/** The order of model versions (docs/bundle-format.md §7.4). */
public final class ModelVersion {
  /** Older before newer. */
  public static final Comparator<String> ORDER = ModelVersion::compare;

  private static final Pattern DIGITS = Pattern.compile("[0-9]+");

  private ModelVersion() {}

  private static int compare(String a, String b) {
    String[] left = a.split("\\+", 2)[0].split("-", 2);
    String[] right = b.split("\\+", 2)[0].split("-", 2);
    int release = compareParts(left[0], right[0], true);
    if (release != 0) {
      return release;
    }
    if (left.length == 1 || right.length == 1) {
      return Integer.compare(right.length, left.length);
    }
    return compareParts(left[1], right[1], false);
  }

  private static int compareParts(String a, String b, boolean absentIsZero) {
    String[] left = a.split("\\.", -1);
    String[] right = b.split("\\.", -1);
    for (int i = 0; i < Math.max(left.length, right.length); i++) {
      boolean absent = i >= left.length || i >= right.length;
      if (absent && !absentIsZero) {
        return Integer.compare(left.length, right.length);
      }
      int order = comparePart(i < left.length ? left[i] : "0", i < right.length ? right[i] : "0");
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }

  private static int comparePart(String a, String b) {
    boolean number = DIGITS.matcher(a).matches();
    boolean otherNumber = DIGITS.matcher(b).matches();
    if (number && otherNumber) {
      return new BigInteger(a).compareTo(new BigInteger(b));
    }
    return number != otherNumber
        ? Boolean.compare(otherNumber, number)
        : BundlePaths.ORDER.compare(a, b);
  }
}
