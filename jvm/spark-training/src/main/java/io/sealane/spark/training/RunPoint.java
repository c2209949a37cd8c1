package io.sealane.spark.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/** Where a run stands; all that it needs to go on. Written by the loop alone. */
final class RunPoint {
  private static final String MAGIC = "sealane-spark-checkpoint/1";
  private static final int DIGEST = 32;

  /** Epochs done. */
  int epoch;

  /** Steps done of the epoch in progress. */
  long step;

  /** Sum over those steps of loss times rows. */
  double lossSum;

  /** Rows behind that sum. */
  long lossRows;

  /** Seconds of the epoch in progress. */
  double seconds;

  /** What was told of each epoch. */
  final List<EpochReport> epochs = new ArrayList<>();

  /** Index of the best epoch. */
  int best = -1;

  /** The best epoch's weights, empty when there is none yet. */
  float[] bestWeights = new float[0];

  /** The weights. */
  float[] weights = new float[0];

  /** The optimizer's moments. */
  float[] moments = new float[0];

  /** Steps of all epochs. */
  long steps(long stepsPerEpoch) {
    return epoch * stepsPerEpoch + step;
  }

  /** The checkpoint's bytes: big-endian fields, then their SHA-256. */
  byte[] toBytes(String runKey) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeUTF(MAGIC);
      out.writeUTF(runKey);
      out.writeInt(epoch);
      out.writeLong(step);
      out.writeDouble(lossSum);
      out.writeLong(lossRows);
      out.writeDouble(seconds);
      out.writeInt(epochs.size());
      for (EpochReport each : epochs) {
        out.writeDouble(each.loss());
        out.writeDouble(each.validationLoss().orElse(Double.NaN));
        out.writeDouble(each.validationAuc().orElse(Double.NaN));
        out.writeDouble(each.seconds());
      }
      out.writeInt(best);
      for (float[] block : List.of(bestWeights, weights, moments)) {
        ByteBuffer values = ByteBuffer.allocate(block.length * Float.BYTES);
        values.asFloatBuffer().put(block);
        out.writeInt(block.length);
        out.write(values.array());
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    bytes.writeBytes(Digests.sha256().digest(bytes.toByteArray()));
    return bytes.toByteArray();
  }

  /**
   * Reads a checkpoint.
   *
   * @param runKey of the run that goes on
   * @throws SealaneException ARTIFACT_INVALID for damaged bytes or another run's checkpoint
   */
  static RunPoint parse(byte[] bytes, String runKey) {
    int end = Math.max(0, bytes.length - DIGEST);
    byte[] content = Arrays.copyOf(bytes, end);
    byte[] digest = Arrays.copyOfRange(bytes, end, bytes.length);
    if (!Arrays.equals(Digests.sha256().digest(content), digest)) {
      throw invalid("the checkpoint is damaged: its digest is not that of its bytes");
    }
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(content))) {
      if (!in.readUTF().equals(MAGIC)) {
        throw invalid("the checkpoint is of another version");
      }
      String begun = in.readUTF();
      if (!begun.equals(runKey)) {
        throw invalid("the run was begun with " + begun + ", not " + runKey);
      }
      return read(in);
    } catch (IOException early) {
      throw invalid("the checkpoint ends too early");
    }
  }

  private static RunPoint read(DataInputStream in) throws IOException {
    RunPoint point = new RunPoint();
    point.epoch = in.readInt();
    point.step = in.readLong();
    point.lossSum = in.readDouble();
    point.lossRows = in.readLong();
    point.seconds = in.readDouble();
    int count = in.readInt();
    for (int i = 0; i < count; i++) {
      double loss = in.readDouble();
      OptionalDouble validation = optional(in.readDouble());
      OptionalDouble auc = optional(in.readDouble());
      point.epochs.add(new EpochReport(loss, validation, auc, in.readDouble()));
    }
    point.best = in.readInt();
    point.bestWeights = block(in);
    point.weights = block(in);
    point.moments = block(in);
    return point;
  }

  private static OptionalDouble optional(double value) {
    return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  private static float[] block(DataInputStream in) throws IOException {
    float[] values = new float[in.readInt()];
    byte[] bytes = in.readNBytes(values.length * Float.BYTES);
    ByteBuffer.wrap(bytes).asFloatBuffer().get(values);
    return values;
  }

  private static SealaneException invalid(String message) {
    return new SealaneException(ErrorCode.ARTIFACT_INVALID, message);
  }
}
