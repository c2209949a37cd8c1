package io.sealane.bundle;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The graph's tensors behind the signature def {@code serving_default} of the meta graph with
 * exactly the tag {@code serve}. Field numbers: saved_model.proto and meta_graph.proto of
 * TensorFlow.
 *
 * @param inputs argument key to tensor name, such as {@code serving_default_x:0}; empty for a value
 *     that is no dense tensor
 * @param outputs result key to tensor name
 */
public record ServingSignature(Map<String, String> inputs, Map<String, String> outputs) {
  private static final String KEY = "serving_default";
  private static final String TAG = "serve";
  private static final int DEPTH = 16;

  /** Copies both maps. */
  public ServingSignature {
    inputs = Map.copyOf(inputs);
    outputs = Map.copyOf(outputs);
  }

  /**
   * The signature def of a SavedModel that was verified.
   *
   * @param directory the one that holds {@code saved_model.pb}
   * @throws SealaneException ARTIFACT_INVALID when it has none
   */
  public static ServingSignature read(Path directory) {
    Path file = directory.resolve("saved_model.pb");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      ProtoReader reader = ProtoReader.of(bytes.order(ByteOrder.LITTLE_ENDIAN), DEPTH);
      while (reader.next()) {
        @Nullable ServingSignature found =
            reader.isBytes(2) ? metaGraph(reader.message()) : skipped(reader);
        if (found != null) {
          return found;
        }
      }
    } catch (IOException | ProtoReader.Malformed failed) {
      throw new SealaneException(
          ErrorCode.ARTIFACT_INVALID, file + " can not be read: " + failed.getMessage(), failed);
    }
    throw new SealaneException(
        ErrorCode.ARTIFACT_INVALID,
        file + " has no meta graph with exactly the tag '" + TAG + "' and '" + KEY + "'");
  }

  private static @Nullable ServingSignature skipped(ProtoReader reader) {
    reader.skip();
    return null;
  }

  private static @Nullable ServingSignature metaGraph(ProtoReader reader) {
    Set<String> tags = new HashSet<>();
    @Nullable ServingSignature found = null;
    while (reader.next()) {
      if (reader.isBytes(1)) {
        tags(reader.message(), tags);
      } else if (reader.isBytes(5)) {
        @Nullable ServingSignature entry = signatureEntry(reader.message());
        found = entry == null ? found : entry;
      } else {
        reader.skip();
      }
    }
    return tags.equals(Set.of(TAG)) ? found : null;
  }

  private static void tags(ProtoReader reader, Set<String> tags) {
    while (reader.next()) {
      if (reader.isBytes(4)) {
        tags.add(reader.string());
      } else {
        reader.skip();
      }
    }
  }

  private static @Nullable ServingSignature signatureEntry(ProtoReader reader) {
    String key = "";
    Map<String, String> inputs = new HashMap<>();
    Map<String, String> outputs = new HashMap<>();
    while (reader.next()) {
      if (reader.isBytes(1)) {
        key = reader.string();
      } else if (reader.isBytes(2)) {
        signatureDef(reader.message(), inputs, outputs);
      } else {
        reader.skip();
      }
    }
    return key.equals(KEY) ? new ServingSignature(inputs, outputs) : null;
  }

  private static void signatureDef(
      ProtoReader reader, Map<String, String> inputs, Map<String, String> outputs) {
    while (reader.next()) {
      if (reader.isBytes(1)) {
        tensorEntry(reader.message(), inputs);
      } else if (reader.isBytes(2)) {
        tensorEntry(reader.message(), outputs);
      } else {
        reader.skip();
      }
    }
  }

  private static void tensorEntry(ProtoReader reader, Map<String, String> tensors) {
    String key = "";
    String tensor = "";
    while (reader.next()) {
      if (reader.isBytes(1)) {
        key = reader.string();
      } else if (reader.isBytes(2)) {
        tensor = tensorName(reader.message());
      } else {
        reader.skip();
      }
    }
    tensors.put(key, tensor);
  }

  /** The name of a TensorInfo, empty for a sparse or composite one. */
  private static String tensorName(ProtoReader reader) {
    String name = "";
    while (reader.next()) {
      if (reader.isBytes(1)) {
        name = reader.string();
      } else {
        reader.skip();
      }
    }
    return name;
  }
}
