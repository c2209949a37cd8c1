package io.sealane.serving;

import io.sealane.bundle.PlainSource;
import io.sealane.bundle.Variant;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where models without a bundle lie: as Triton and TensorFlow Serving have them, in a folder for
 * each version, whose name is its number; or as they stand, and then they are version 1.
 */
final class PlainLayout {
  /** What a version's folder is called. */
  static final Pattern VERSION = Pattern.compile("[1-9][0-9]{0,17}");

  static final String FIRST = "1";

  /** What a folder may hold, for messages. */
  static final String KNOWN = "model.onnx, model.savedmodel/ or saved_model.pb";

  static final String ONNX = ".onnx";

  /** Where Triton keeps what it is told of a model. */
  static final String CONFIGURATION = "config.pbtxt";

  private PlainLayout() {}

  /** The model that lies in a folder, or null; what is no plain file there is told when read. */
  static @Nullable PlainSource in(Path folder, String model, String version) {
    Path file = folder.resolve("model.onnx");
    if (exists(file)) {
      // With external data Triton has a folder of that name, and the file in it.
      Path onnx = isFolder(file) ? file.resolve("model.onnx") : file;
      return new PlainSource(onnx, Variant.ONNX, model, version);
    }
    Path savedModel = folder.resolve("model.savedmodel");
    if (exists(savedModel)) {
      return new PlainSource(savedModel, Variant.SAVEDMODEL, model, version);
    }
    return exists(folder.resolve("saved_model.pb"))
        ? new PlainSource(folder, Variant.SAVEDMODEL, model, version)
        : null;
  }

  /** Whether what a bundle alone has is there: where its manifest is not, it is being copied. */
  static boolean isOfBundle(Path folder) {
    return isFolder(folder.resolve("golden")) || isFolder(folder.resolve("evidence"));
  }

  private static boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  private static boolean isFolder(Path path) {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }
}
