package io.sealane.spark.training;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A part of the rows.
 *
 * @param number from 0
 * @param train rows to train on
 * @param held rows held back
 * @param digest of both, SHA-256 in hexadecimal
 */
record Lane(int number, long train, long held, String digest) {
  /** The lane whose files lie in a folder. */
  static Lane of(Path folder, int number) {
    return of(
        number,
        LaneFile.open(LaneFile.path(folder, number, false)),
        LaneFile.open(LaneFile.path(folder, number, true)));
  }

  static Lane of(int number, LaneFile train, LaneFile held) {
    String both = train.digest() + held.digest();
    return new Lane(number, train.rows(), held.rows(), Digests.hex(both));
  }

  /** SHA-256 over the rows of all lanes, as they were laid down. */
  static String fingerprint(List<Lane> lanes) {
    StringBuilder all = new StringBuilder();
    lanes.forEach(lane -> all.append(lane.digest));
    return Digests.hex(all.toString());
  }

  byte[] toBytes() {
    return (number + " " + train + " " + held + " " + digest).getBytes(StandardCharsets.US_ASCII);
  }

  static Lane parse(byte[] bytes) {
    String[] words = new String(bytes, StandardCharsets.US_ASCII).split(" ", 0);
    return new Lane(
        Integer.parseInt(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]), words[3]);
  }
}
