package io.sealane.spark.training;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.training.Checkpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The shared folder of a run, on the driver: its rows, its checkpoints, what both are made with.
 */
final class RunFolder {
  private static final String MANIFEST = "run.json";

  private final Path folder;
  private final String rowsKey;

  /**
   * @param rowsKey what the rows are laid down with
   */
  RunFolder(Path folder, String rowsKey) {
    this.folder = folder;
    this.rowsKey = rowsKey;
  }

  /**
   * The lanes of the run that is to be gone on with; empty when it has none yet.
   *
   * @throws SealaneException BUNDLE_EXISTS for a run that is not to be gone on with,
   *     ARTIFACT_INVALID for one that was begun with other settings or is damaged
   */
  List<Lane> found(int lanes, boolean resume) {
    Path manifest = folder.resolve(MANIFEST);
    if (!Files.exists(manifest)) {
      return List.of();
    }
    if (!resume) {
      throw new SealaneException(
          ErrorCode.BUNDLE_EXISTS,
          folder + " holds a run: go on with it (resume=True), or use another folder");
    }
    try {
      String begun = Files.readString(manifest);
      if (!begun.equals(rowsKey)) {
        throw new SealaneException(
            ErrorCode.ARTIFACT_INVALID,
            "the run of " + folder + " was begun with " + begun + ", not " + rowsKey);
      }
    } catch (IOException failed) {
      throw failed(failed);
    }
    List<Lane> found = new ArrayList<>();
    for (int lane = 0; lane < lanes; lane++) {
      found.add(Lane.of(ExecutorRun.rowsOf(folder.toString()), lane));
    }
    return found;
  }

  /** Writes down what the rows were made with, when they are all there. */
  void keep() {
    try {
      Files.createDirectories(folder);
      Path partial = folder.resolve("." + MANIFEST + "-" + UUID.randomUUID());
      Files.writeString(partial, rowsKey);
      Files.move(partial, folder.resolve(MANIFEST), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      throw failed(failed);
    }
  }

  Checkpoints checkpoints() {
    return new Checkpoints(folder.resolve("checkpoints"));
  }

  private SealaneException failed(IOException failed) {
    return new SealaneException(
        ErrorCode.ARTIFACT_INVALID, "the run's folder " + folder + ": " + failed, failed);
  }
}
