package io.sealane.bundle;

import io.sealane.bundle.network.Network;
import io.sealane.bundle.network.NetworkShapes;
import io.sealane.bundle.network.NetworkWeights;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A model file of Deeplearning4j (1.0.0-beta4 to 1.0.0-M2.1), read as a network: no class of
 * Deeplearning4j is loaded, nothing is deserialised by name, and what the network format has no
 * layer for is refused by name. The state of the updater is not read; a normaliser in the file is
 * refused, since its numbers would go missing.
 *
 * <p>Deeplearning4j's sequences are [batch, features, time], a network's are [batch, time,
 * features]: the inputs and outputs stay as Deeplearning4j has them, with a transpose beside them.
 */
public final class Dl4jZip {
  private static final String CONFIGURATION = "configuration.json";
  private static final String COEFFICIENTS = "coefficients.bin";
  private static final String NO_PARAMETERS = "noParams.marker";
  private static final String UPDATER = "updaterState.bin";
  private static final Set<String> NORMALISERS = Set.of("normalizer.bin", "preprocessor.bin");
  private static final byte[] JAVA_SERIALISATION = {(byte) 0xac, (byte) 0xed, 0, 5};
  private static final int MAX_CONFIGURATION = 4 << 20;
  private static final int MAX_ENTRIES = 16;

  private Dl4jZip() {}

  /**
   * What a file holds.
   *
   * @param network its layers
   * @param weights their weights
   */
  public record Contents(Network network, NetworkWeights weights) {}

  /**
   * Reads a model file.
   *
   * @param zip the file
   * @param dims for each network input whose dims the file does not tell (images above all), the
   *     dims after the batch as Deeplearning4j has them; the input of a MultiLayerNetwork is called
   *     {@code input}
   * @param limits of JSON, and of the bytes of one file
   * @throws SealaneException ARTIFACT_INVALID for a file that is damaged or does not fit together,
   *     ARTIFACT_UNSUPPORTED naming the layer and what of it a network can not have,
   *     CONTENT_FORBIDDEN for Java serialisation, LIMIT_EXCEEDED
   */
  public static Contents read(Path zip, Map<String, List<Integer>> dims, Limits limits) {
    try (ZipFile file = open(zip)) {
      checkEntries(file);
      ByteBuffer json = required(file, CONFIGURATION, MAX_CONFIGURATION);
      Dl4jConfiguration configuration =
          Dl4jConfiguration.parse(new StrictJson(limits).parse(json, CONFIGURATION, INVALID));
      Dl4jParameters parameters = new Dl4jParameters(coefficients(file, limits));
      Contents contents = new Dl4jTranslation(parameters, dims).translate(configuration);
      parameters.end();
      NetworkShapes.of(contents.network(), contents.weights());
      return contents;
    } catch (Refusal refusal) {
      throw refused(zip, refusal.code(), refusal.reason());
    } catch (IllegalArgumentException | ArithmeticException impossible) {
      throw refused(zip, INVALID, String.valueOf(impossible.getMessage()));
    } catch (ZipException damaged) {
      throw refused(zip, INVALID, "not a sound zip file: " + damaged.getMessage());
    } catch (IOException failed) {
      throw refused(zip, INVALID, "can not be read: " + failed);
    }
  }

  private static SealaneException refused(Path zip, ErrorCode code, String reason) {
    return new SealaneException(code, "model file " + zip + ": " + reason);
  }

  static final ErrorCode INVALID = ErrorCode.ARTIFACT_INVALID;

  private static ZipFile open(Path zip) throws IOException {
    if (!Files.isRegularFile(zip)) {
      throw new Refusal(ErrorCode.BUNDLE_NOT_FOUND, "there is no such file");
    }
    return new ZipFile(zip.toFile());
  }

  /** Each entry is one that Deeplearning4j writes, is there once, and is no Java object. */
  private static void checkEntries(ZipFile file) throws IOException {
    Set<String> seen = new HashSet<>();
    for (ZipEntry entry : Collections.list(file.entries())) {
      String name = entry.getName();
      if (!seen.add(name)) {
        throw new Refusal(INVALID, "two entries are called " + name);
      }
      if (seen.size() > MAX_ENTRIES) {
        throw new Refusal(ErrorCode.LIMIT_EXCEEDED, "more than " + MAX_ENTRIES + " entries");
      }
      checkFirstBytes(file, entry);
      if (NORMALISERS.contains(name)) {
        throw new Refusal(
            ErrorCode.ARTIFACT_UNSUPPORTED,
            name
                + ": the file holds a normaliser of the inputs, which would go missing. Apply it"
                + " before the model, and save the model without it");
      }
      if (!Set.of(CONFIGURATION, COEFFICIENTS, UPDATER, NO_PARAMETERS).contains(name)) {
        throw new Refusal(INVALID, "unknown entry '" + name + "'");
      }
    }
  }

  private static void checkFirstBytes(ZipFile file, ZipEntry entry) throws IOException {
    try (InputStream content = file.getInputStream(entry)) {
      if (Arrays.equals(content.readNBytes(JAVA_SERIALISATION.length), JAVA_SERIALISATION)) {
        throw new Refusal(
            ErrorCode.CONTENT_FORBIDDEN, entry.getName() + " is a serialised Java object");
      }
    }
  }

  private static float[] coefficients(ZipFile file, Limits limits) throws IOException {
    if (file.getEntry(COEFFICIENTS) == null && file.getEntry(NO_PARAMETERS) != null) {
      return new float[0];
    }
    long most = Math.min(limits.fileBytes(), Integer.MAX_VALUE - 8L);
    return Dl4jArray.parse(required(file, COEFFICIENTS, (int) most), COEFFICIENTS);
  }

  private static ByteBuffer required(ZipFile file, String name, int most) throws IOException {
    ZipEntry entry = file.getEntry(name);
    if (entry == null) {
      throw new Refusal(INVALID, name + " is missing");
    }
    if (entry.getSize() > most) {
      throw tooLarge(name, most);
    }
    try (InputStream content = file.getInputStream(entry)) {
      byte[] bytes = content.readNBytes(most);
      if (bytes.length == most && content.read() >= 0) {
        throw tooLarge(name, most);
      }
      CRC32 sum = new CRC32();
      sum.update(bytes);
      if (sum.getValue() != entry.getCrc()) {
        throw new Refusal(INVALID, name + " is damaged: its checksum is another");
      }
      return ByteBuffer.wrap(bytes);
    }
  }

  private static Refusal tooLarge(String name, int most) {
    return new Refusal(ErrorCode.LIMIT_EXCEEDED, name + " is larger than " + most + " bytes");
  }
}
