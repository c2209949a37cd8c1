package io.sealane.training;

import io.sealane.bundle.JsonPrinter;
import io.sealane.bundle.Policy;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import io.sealane.core.SealaneException;
import io.sealane.core.Tensor;
import io.sealane.runtime.Replay;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The command line without Python: {@code finetune}, {@code wrap} and {@code verify}.
 *
 * <p>Exit codes: 0 done; 2 wrong use; 3 the bundle is refused; 4 the rows are bad; 5 an engine
 * failed; 70 a fault of Sealane.
 */
public final class Main {
  private static final int USAGE = 2;
  private static final int FAULT = 70;
  private static final String HELP =
      """
      usage: java -cp … io.sealane.training.Main finetune --bundle DIR --data CSV --label COLUMN --out DIR --version V
               [--epochs N] [--batch-size N] [--optimizer adam|nesterov|sgd] [--learning-rate R] [--momentum M]
               [--validation SHARE|CSV] [--patience N] [--loss KIND] [--freeze LAYER,LAYER] [--seed N] [--threads N]
               [--checkpoints DIR] [--checkpoint-steps N] [--engine NAME] [--replay strict|warn|off] [--json]
             java -cp … io.sealane.training.Main wrap --zip FILE --name NAME --version V --out DIR [--dims INPUT=3,32,32] [--engine NAME] [--json]
             java -cp … io.sealane.training.Main verify --bundle DIR [--engine NAME] [--json]
      """;

  private final PrintStream out;
  private final PrintStream messages;

  Main(PrintStream out, PrintStream messages) {
    this.out = out;
    this.messages = messages;
  }

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream messages = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    System.exit(new Main(out, messages).run(arguments));
  }

  /** Runs one command and gives its exit code. */
  int run(String... arguments) {
    boolean json = List.of(arguments).contains("--json");
    try {
      String command = arguments.length == 0 ? "" : arguments[0];
      switch (command) {
        case "finetune" -> finetune(new Arguments(arguments, 1, Set.of("--json")));
        case "wrap" -> wrap(new Arguments(arguments, 1, Set.of("--json")));
        case "verify" -> verify(new Arguments(arguments, 1, Set.of("--json")));
        default ->
            throw new Arguments.Usage(
                "expected finetune, wrap or verify, received '" + command + "'");
      }
      return 0;
    } catch (Arguments.Usage wrong) {
      messages.println(wrong.getMessage());
      messages.print(HELP);
      return USAGE;
    } catch (IllegalArgumentException wrong) {
      messages.println(wrong.getMessage());
      return USAGE;
    } catch (SealaneException refused) {
      if (json) {
        line(Map.of("error", refused.code().name(), "message", text(refused)));
      }
      messages.println(text(refused));
      return switch (refused.code().family()) {
        case BUNDLE -> 3;
        case INPUT -> 4;
        case ENGINE, SERVICE -> 5;
      };
    } catch (RuntimeException fault) {
      messages.println("a fault of Sealane: " + fault);
      return FAULT;
    }
  }

  private static String text(Throwable error) {
    return String.valueOf(error.getMessage());
  }

  private void line(Map<String, ?> members) {
    out.println(JsonPrinter.compact(members));
  }

  private void finetune(Arguments given) {
    Path bundle = Path.of(given.required("--bundle"));
    String label = given.required("--label");
    Path target = Path.of(given.required("--out"));
    String version = given.required("--version");
    boolean json = given.has("--json");
    FineTune tune = settings(given, bundle);
    CsvTable table = new CsvTable(Path.of(given.required("--data")));
    String held = given.optional("--validation");
    given.end();
    List<Tensor> open = new ArrayList<>();
    try {
      tune.data(rows(bundle, table, label, open));
      if (held != null && held.matches("0?\\.[0-9]+")) {
        tune.validation(Double.parseDouble(held));
      } else if (held != null) {
        tune.validation(rows(bundle, new CsvTable(Path.of(held)), label, open));
      }
      FineTuned child = tune.listener(listener(json)).run();
      child.save(target, version);
      TrainingReport report = child.report();
      if (json) {
        line(summary(target, report));
      } else {
        out.println(
            "wrote "
                + target
                + " after "
                + report.steps()
                + " steps on "
                + report.rows()
                + " rows");
      }
    } finally {
      open.forEach(Tensor::close);
    }
  }

  private static TrainingData rows(Path bundle, CsvTable table, String label, List<Tensor> open) {
    Map<String, Tensor> columns = table.columns(Parent.read(bundle, Policy.none()).signature());
    open.addAll(columns.values());
    Tensor labels = table.labels(label);
    open.add(labels);
    return TrainingData.of(columns, labels);
  }

  private static FineTune settings(Arguments given, Path bundle) {
    FineTune tune =
        FineTune.of(bundle)
            .epochs(given.integer("--epochs", 1))
            .batchSize(given.integer("--batch-size", 256))
            .seed(given.integer("--seed", 0))
            .threads(given.integer("--threads", 1))
            .optimizer(optimizer(given))
            .replay(Replay.Mode.valueOf(given.text("--replay", "strict").toUpperCase(Locale.ROOT)));
    if (given.has("--patience")) {
      tune.earlyStopping(given.integer("--patience", 1));
    }
    String loss = given.optional("--loss");
    if (loss != null) {
      tune.loss(
          Loss.Kind.of(loss)
              .orElseThrow(() -> new Arguments.Usage("--loss: '" + loss + "' is no loss")));
    }
    String frozen = given.optional("--freeze");
    if (frozen != null) {
      tune.freeze(frozen.split(",", -1));
    }
    String engine = given.optional("--engine");
    if (engine != null) {
      tune.engine(engine);
    }
    String checkpoints = given.optional("--checkpoints");
    int steps = given.integer("--checkpoint-steps", 0);
    if (checkpoints != null) {
      tune.checkpoints(Path.of(checkpoints), steps);
    }
    return tune;
  }

  private static Optimizer optimizer(Arguments given) {
    double rate = given.number("--learning-rate", 1e-3);
    double momentum = given.number("--momentum", 0.9);
    String kind = given.text("--optimizer", "adam");
    return switch (kind) {
      case "adam" -> Optimizer.Adam.of(rate);
      case "nesterov" -> new Optimizer.Nesterov(rate, momentum);
      case "sgd" -> new Optimizer.Sgd(rate);
      default ->
          throw new Arguments.Usage("--optimizer: '" + kind + "' is none of adam, nesterov, sgd");
    };
  }

  private Consumer<Progress> listener(boolean json) {
    return progress -> {
      Metrics metrics = progress.validation();
      if (json) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        members.put("epoch", progress.epoch());
        members.put("step", progress.step());
        members.put("loss", Double.isNaN(progress.loss()) ? null : progress.loss());
        members.put("validation", metrics == null ? null : metrics.values());
        members.put("best", progress.best());
        line(members);
      } else {
        String loss = progress.epoch() == 0 ? "the parent" : "loss " + progress.loss();
        String judged = metrics == null ? "" : ", validation " + metrics.values();
        out.println("epoch " + progress.epoch() + "/" + progress.epochs() + ": " + loss + judged);
      }
    };
  }

  private static Map<String, @Nullable Object> summary(Path target, TrainingReport report) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("bundle", target.toString());
    members.put("steps", report.steps());
    members.put("rows", report.rows());
    members.put("bestEpoch", report.bestEpoch());
    members.put("resumedAt", report.resumedAt());
    Metrics before = report.parent();
    Metrics after = report.child();
    members.put("parent", before == null ? null : before.values());
    members.put("child", after == null ? null : after.values());
    return members;
  }

  private void wrap(Arguments given) {
    Path zip = Path.of(given.required("--zip"));
    Path target = Path.of(given.required("--out"));
    WrapZip wrap = WrapZip.of(zip, given.required("--name")).engine(given.optional("--engine"));
    String version = given.required("--version");
    String dims = given.optional("--dims");
    boolean json = given.has("--json");
    given.end();
    if (dims != null) {
      String[] parts = dims.split("[=,]");
      List<Integer> sizes = new ArrayList<>();
      for (String size : List.of(parts).subList(1, parts.length)) {
        sizes.add(Integer.valueOf(size));
      }
      wrap.dims(parts[0], sizes);
    }
    wrap.save(target, version);
    if (json) {
      line(Map.of("bundle", target.toString()));
    } else {
      out.println("wrote " + target);
    }
  }

  private void verify(Arguments given) {
    Path bundle = Path.of(given.required("--bundle"));
    boolean json = given.has("--json");
    SessionConfig config = SessionConfig.defaults().withEngine(given.optional("--engine"));
    given.end();
    try (Session session = Sealane.open(bundle, config)) {
      Replay replay = session.replay();
      Map<String, @Nullable Object> members = new LinkedHashMap<>();
      members.put("bundle", bundle.toString());
      members.put("contentId", session.manifest().contentId());
      members.put("variant", session.variant().id());
      members.put("engine", session.engine());
      members.put("engineVersion", session.engineVersion());
      members.put("verdict", replay == null ? null : replay.verdict().id());
      if (json) {
        line(members);
      } else {
        out.println(session + ": " + members.get("verdict"));
      }
    }
  }
}
