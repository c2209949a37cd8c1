package io.sealane.hosts;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Opens bundles on engines, in the order given, all of them held open together. A session is handed
 * out only after its golden cases came out right, so each line of the answer is an engine that
 * computed.
 */
public final class Answers {
  private Answers() {}

  /**
   * Prints one line for each engine and bundle.
   *
   * @param args engines separated by commas, in the order of loading, then bundles
   */
  public static void main(String[] args) {
    System.out.println(answer(args[0], List.of(args).subList(1, args.length)));
  }

  /**
   * Lines of engine, version, bundle name, golden cases and their worst verdict. A bundle without a
   * variant for an engine has no line.
   *
   * @throws SealaneException as {@link Sealane#open}
   */
  static String answer(String engines, List<String> bundles) {
    List<Session> open = new ArrayList<>();
    try {
      List<String> lines = new ArrayList<>();
      for (String engine : engines.split(",", -1)) {
        for (String bundle : bundles) {
          open(engine, bundle, open, lines);
        }
      }
      return String.join("\n", lines);
    } finally {
      open.forEach(Session::close);
    }
  }

  private static void open(String engine, String bundle, List<Session> open, List<String> lines) {
    Session session;
    try {
      session = Sealane.open(Path.of(bundle), SessionConfig.defaults().withEngine(engine));
    } catch (SealaneException refused) {
      if (refused.code() == ErrorCode.VARIANT_NOT_FOUND) {
        return;
      }
      throw refused;
    }
    open.add(session);
    Replay replay = Objects.requireNonNull(session.replay());
    lines.add(
        String.join(
            " ",
            session.engine(),
            session.engineVersion(),
            session.manifest().name(),
            String.valueOf(replay.cases().size()),
            replay.verdict().id()));
  }
}
