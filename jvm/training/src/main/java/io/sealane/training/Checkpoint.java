package io.sealane.training;

import io.sealane.bundle.NetworkFormat;
import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a run needs to go on: big-endian fields in the order of {@link #toBytes}, then their
 * SHA-256.
 *
 * @param state where the run stands
 * @param weights the current weights
 * @param engineState the engine's own state
 */
record Checkpoint(RunState state, NetworkWeights weights, EngineState engineState) {
  private static final String MAGIC = "sealane-checkpoint/1";
  private static final int DIGEST = 32;

  /** The engine's own bytes. */
  static final class EngineState {
    private final byte[] bytes;

    EngineState(byte[] bytes) {
      this.bytes = bytes;
    }

    byte[] bytes() {
      return bytes;
    }
  }

  /**
   * The checkpoint's bytes.
   *
   * @param plan the fingerprint of the plan it goes on under
   */
  byte[] toBytes(Network network, String plan) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeUTF(MAGIC);
      out.writeUTF(plan);
      out.writeInt(state.epoch);
      out.writeInt(state.cursor);
      out.writeLong(state.step);
      out.writeDouble(state.lossSum);
      out.writeLong(state.lossRows);
      out.writeInt(state.bestEpoch);
      out.writeDouble(state.bestLoss);
      out.writeInt(state.history.size());
      for (Progress progress : state.history) {
        write(out, progress);
      }
      block(out, NetworkFormat.print(network, weights));
      block(out, NetworkFormat.print(network, state.best));
      block(out, engineState.bytes());
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    MessageDigest digest = TrainingData.sha256();
    bytes.writeBytes(digest.digest(bytes.toByteArray()));
    return bytes.toByteArray();
  }

  private static void block(DataOutputStream out, byte[] block) throws IOException {
    out.writeInt(block.length);
    out.write(block);
  }

  private static void write(DataOutputStream out, Progress progress) throws IOException {
    out.writeInt(progress.epoch());
    out.writeInt(progress.epochs());
    out.writeLong(progress.step());
    out.writeDouble(progress.loss());
    out.writeBoolean(progress.best());
    Metrics metrics = progress.validation();
    out.writeInt(metrics == null ? -1 : metrics.values().size());
    if (metrics != null) {
      for (Map.Entry<String, Double> each : metrics.values().entrySet()) {
        out.writeUTF(each.getKey());
        out.writeDouble(each.getValue());
      }
    }
  }

  /**
   * Reads a checkpoint.
   *
   * @param plan the fingerprint of the plan that goes on
   * @throws SealaneException ARTIFACT_INVALID for damaged bytes or another plan's checkpoint
   */
  static Checkpoint parse(byte[] bytes, NetworkWeights start, String plan) {
    int end = bytes.length - DIGEST;
    byte[] content = Arrays.copyOf(bytes, Math.max(end, 0));
    if (end < 0
        || !Arrays.equals(
            TrainingData.sha256().digest(content), Arrays.copyOfRange(bytes, end, bytes.length))) {
      throw invalid("the checkpoint is damaged: its digest is not that of its bytes", null);
    }
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(content))) {
      if (!in.readUTF().equals(MAGIC)) {
        throw invalid("the checkpoint is of another version", null);
      }
      if (!in.readUTF().equals(plan)) {
        throw invalid(
            "the checkpoint is of a run with another parent, other data or settings;"
                + " give each run a directory of its own",
            null);
      }
      RunState state = new RunState(start);
      state.epoch = in.readInt();
      state.cursor = in.readInt();
      state.step = in.readLong();
      state.lossSum = in.readDouble();
      state.lossRows = in.readLong();
      state.bestEpoch = in.readInt();
      state.bestLoss = in.readDouble();
      int count = in.readInt();
      for (int i = 0; i < count; i++) {
        state.history.add(progress(in));
      }
      NetworkWeights weights = NetworkFormat.weights(block(in), "checkpoint");
      state.best = NetworkFormat.weights(block(in), "checkpoint");
      return new Checkpoint(state, weights, new EngineState(block(in)));
    } catch (IOException e) {
      throw invalid("the checkpoint ends too early", e);
    }
  }

  private static Progress progress(DataInputStream in) throws IOException {
    int epoch = in.readInt();
    int epochs = in.readInt();
    long step = in.readLong();
    double loss = in.readDouble();
    boolean best = in.readBoolean();
    int count = in.readInt();
    Map<String, Double> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      values.put(in.readUTF(), in.readDouble());
    }
    return new Progress(epoch, epochs, step, loss, count < 0 ? null : new Metrics(values), best);
  }

  private static byte[] block(DataInputStream in) throws IOException {
    return in.readNBytes(in.readInt());
  }

  private static SealaneException invalid(String message, @Nullable Throwable cause) {
    return new SealaneException(ErrorCode.ARTIFACT_INVALID, message, cause);
  }
}
