package io.sealane.spark.training;

import io.sealane.bundle.Policy;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.spark.model.BundleCopies;
import io.sealane.training.Parent;
import io.sealane.training.TrainingEngines;
import io.sealane.training.spi.TrainingSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.spark.SparkFiles;
import org.jspecify.annotations.Nullable;

/**
 * What the tasks of one run share on an executor: the bundle, sessions of the engine, and lanes.
 * Safe for use by several threads; closed when no task uses it.
 */
final class ExecutorRun implements AutoCloseable {
  private final RunSpec spec;
  private final ArrayDeque<TrainingSession> sessions = new ArrayDeque<>();
  private final Map<Integer, List<LaneFile>> lanes = new ConcurrentHashMap<>();
  private @Nullable Parent parent;
  private @Nullable Path temporary;

  ExecutorRun(RunSpec spec) {
    this.spec = spec;
  }

  RunSpec spec() {
    return spec;
  }

  /** The bundle, verified. */
  synchronized Parent parent() {
    if (parent == null) {
      Parent read =
          BundleCopies.read(
              spec.bundle(), spec.hadoop(), folder -> Parent.read(folder, Policy.none()));
      if (!read.manifest().contentId().equals(spec.bundle().contentId())) {
        throw new SealaneException(
            ErrorCode.CONTENT_ID_MISMATCH,
            "bundle " + spec.bundle().uri() + " was replaced while it was trained on");
      }
      parent = read;
    }
    return parent;
  }

  /** Lets {@code use} have a session of its own; what it sets is still there for the next. */
  <R> R withSession(Function<TrainingSession, R> use) {
    TrainingSession session = take();
    boolean whole = false;
    try {
      R result = use.apply(session);
      whole = true;
      return result;
    } finally {
      give(session, whole);
    }
  }

  private TrainingSession take() {
    Parent from = parent();
    synchronized (this) {
      TrainingSession idle = sessions.poll();
      if (idle != null) {
        return idle;
      }
    }
    return TrainingEngines.training(null)
        .open(
            from.layers().network(), from.layers().weights(), spec.settings().session(spec.loss()));
  }

  private void give(TrainingSession session, boolean whole) {
    if (whole) {
      synchronized (this) {
        sessions.push(session);
      }
    } else {
      session.close();
    }
  }

  /**
   * The rows of a lane: those to train on, and those held back. They lie in the shared folder, or
   * in a folder of this executor, where they are laid down when they are not there.
   *
   * @param chunks of this lane, read only when they are needed
   * @param digest of the lane as it was laid down first, or null when this is the first time
   * @throws SealaneException ENGINE_RUN_FAILED when Spark made other rows than the first time
   */
  List<LaneFile> lane(int number, Iterator<byte[]> chunks, @Nullable String digest) {
    return lanes.computeIfAbsent(number, lane -> open(lane, chunks, digest));
  }

  private List<LaneFile> open(int number, Iterator<byte[]> chunks, @Nullable String digest) {
    String shared = spec.settings().shared();
    Path folder = shared.isEmpty() ? temporary() : rowsOf(shared);
    Lane lane =
        shared.isEmpty() ? LaneWriter.write(folder, number, chunks) : Lane.of(folder, number);
    if (digest != null && !digest.equals(lane.digest())) {
      throw new SealaneException(
          ErrorCode.ENGINE_RUN_FAILED,
          "the rows of lane "
              + number
              + " are not those that the run began with: their source has changed, or gives them in"
              + " another order each time; set a shared folder, where they are laid down once");
    }
    List<LaneFile> files = new ArrayList<>();
    for (boolean held : new boolean[] {false, true}) {
      files.add(LaneFile.open(LaneFile.path(folder, number, held)));
    }
    return files;
  }

  static Path rowsOf(String shared) {
    return Path.of(shared).resolve("rows");
  }

  private synchronized Path temporary() {
    Path made = temporary;
    if (made == null) {
      try {
        made =
            Files.createTempDirectory(
                Path.of(SparkFiles.getRootDirectory()).toAbsolutePath(), "sealane-rows-");
      } catch (IOException failed) {
        throw new SealaneException(
            ErrorCode.ENGINE_RUN_FAILED, "no folder for rows can be made: " + failed, failed);
      }
      temporary = made;
    }
    return made;
  }

  /** Frees sessions and files. */
  @Override
  public synchronized void close() {
    sessions.forEach(TrainingSession::close);
    sessions.clear();
    lanes.clear();
    Path folder = temporary;
    temporary = null;
    if (folder != null) {
      try (Stream<Path> found = Files.walk(folder)) {
        for (Path each : found.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(each);
        }
      } catch (IOException failed) {
        System.getLogger("io.sealane.spark")
            .log(System.Logger.Level.WARNING, "{0} could not be deleted: {1}", folder, failed);
      }
    }
  }
}
