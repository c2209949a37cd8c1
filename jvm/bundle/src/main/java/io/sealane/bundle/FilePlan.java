package io.sealane.bundle;

import io.sealane.bundle.Manifest.FileEntry;
import io.sealane.bundle.Manifest.GoldenRef;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What happens to each file while it is digested: kept in memory, copied, both or neither. */
final class FilePlan {
  private final List<Variant> kept;
  private final Set<String> listed = new HashSet<>();
  private final Set<String> inMemory = new HashSet<>();
  private final Set<String> direct = new HashSet<>();
  private final Set<String> onDisk = new HashSet<>();
  private final boolean severalLarge;

  FilePlan(Manifest manifest, Set<String> keep) {
    manifest.files().forEach(file -> listed.add(file.path()));
    severalLarge =
        manifest.files().stream().filter(file -> file.size() >= FileCapture.LARGE).count() > 1;
    kept =
        manifest.variants().stream()
            .filter(v -> keep.contains(v.id()) || keep.contains(v.kind()))
            .toList();
    inMemory.add(Reading.CERTIFICATE);
    for (GoldenRef ref : manifest.golden()) {
      inMemory.add(ref.path());
      if (ref.strings() != null) {
        inMemory.add(ref.strings());
      }
    }
    for (Variant variant : manifest.variants()) {
      if (variant.kind().equals(Variant.ONNX)) {
        inMemory.add(variant.path());
      } else if (variant.kind().equals(Variant.SAVEDMODEL)) {
        inMemory.add(variant.path() + "/saved_model.pb");
      } else if (variant.kind().equals(Variant.DL4J)) {
        String folder = NetworkCheck.folder(variant);
        listed.stream().filter(path -> path.startsWith(folder)).forEach(inMemory::add);
      }
    }
    for (Variant variant : kept) {
      keep(variant, manifest.files());
    }
  }

  private void keep(Variant variant, List<FileEntry> files) {
    if (variant.kind().equals(Variant.DL4J)) {
      return;
    }
    if (standsAlone(variant)) {
      direct.add(variant.path());
      return;
    }
    for (FileEntry file : files) {
      if (belongs(file.path(), variant)) {
        onDisk.add(file.path());
      }
    }
  }

  private static boolean belongs(String file, Variant variant) {
    String folder = variant.path() + "/";
    return switch (variant.kind()) {
      case Variant.ONNX -> file.equals(variant.path()) || file.equals(externalData(variant));
      case Variant.SAVEDMODEL ->
          file.equals(folder + "saved_model.pb")
              || file.startsWith(folder + "variables/")
              || file.startsWith(folder + "assets/");
      default -> file.equals(variant.path()) || file.startsWith(folder);
    };
  }

  /** The one file in which an ONNX variant may keep external data. */
  static String externalData(Variant variant) {
    return variant.path() + ".data";
  }

  /** The variants whose bytes were asked for. */
  List<Variant> kept() {
    return kept;
  }

  /** Whether the variant is one ONNX file without external data, so that its bytes suffice. */
  boolean standsAlone(Variant variant) {
    return variant.kind().equals(Variant.ONNX) && !listed.contains(externalData(variant));
  }

  /** Whether threads can share the reading. */
  boolean hasSeveralLarge() {
    return severalLarge;
  }

  boolean inMemory(String path) {
    return inMemory.contains(path);
  }

  /** Whether memory outside the heap is wanted, for engines. */
  boolean direct(String path) {
    return direct.contains(path);
  }

  boolean onDisk(String path) {
    return onDisk.contains(path);
  }
}
