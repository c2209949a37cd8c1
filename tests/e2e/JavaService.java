import io.sealane.bridge.ExportRequest;
import io.sealane.bridge.ExportedBundle;
import io.sealane.bridge.PythonProcess;
import io.sealane.bridge.TrainRequest;
import io.sealane.bridge.WorkerConfig;
import io.sealane.core.Leaks;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A plain Java service that has Python export and train models for it, then runs them itself. */
public final class JavaService {
  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "serve" -> serve(args[1], Path.of(args[2]));
      case "faults" -> faults(args[1], Path.of(args[2]));
      case "commands" -> commands(Path.of(args[1]));
      case "connect" -> connect(args);
      case "orphan" -> orphan(args[1], Path.of(args[2]));
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static void serve(String python, Path home) {
    try (PythonProcess worker = PythonProcess.launch(WorkerConfig.of(python, home))) {
      System.out.println("python " + worker.describe().get("python"));
      ExportRequest line =
          ExportRequest.of("train:model", home.resolve("rows.json"), "line", home.resolve("line"))
              .withFormats("onnx");
      ExportedBundle exported = worker.export(line);
      try (Session session = open(exported);
          Tensor x = Tensor.fp32(Shape.of(1, 2), 1f, 2f);
          Outputs outputs = session.run(Map.of(session.signature().inputs().get(0).name(), x))) {
        String output = session.signature().outputs().get(0).name();
        System.out.println("line " + Arrays.toString(outputs.get(output).floats()));
      }
      refused(() -> worker.export(line));
      train(worker, home);
    }
  }

  private static void train(PythonProcess worker, Path home) {
    TrainRequest request =
        TrainRequest.of("train:price", "price", home.resolve("line"))
            .withFormats("onnx")
            .overwriting()
            .withVersion("2.1.0")
            .withParameters(
                Map.of(
                    "table", home.resolve("rides.csv"), "epochs", 30, "lr", 0.0625f,
                    "columns", List.of("city", "km"), "squared", true));
    ExportedBundle trained = worker.train(request);
    System.out.println("metrics " + new java.util.TreeMap<>(trained.metrics()));
    try (Session session = open(trained);
        Tensor city = Tensor.bytes(Shape.of(3), "Oslo", null, "Atlantis");
        Tensor km = Tensor.fp64(Shape.of(3), 2.5, Double.NaN, 40.0);
        Outputs outputs = session.run(Map.of("city", city, "km", km))) {
      System.out.println("price " + Arrays.toString(outputs.get("price").floats()));
    }
  }

  private static Session open(ExportedBundle made) {
    Session session = Sealane.open(made.path());
    if (!session.manifest().contentId().equals(made.contentId())) {
      throw new IllegalStateException("another bundle than was made");
    }
    return session;
  }

  /** What goes wrong in the worker; it serves on until it dies. */
  private static void faults(String python, Path home) throws Exception {
    WorkerConfig config =
        WorkerConfig.of(python, home)
            .withEnvironment(Map.of("SEALANE_TEST_NOISE", "1"))
            .withCallLimit(Duration.ofSeconds(20));
    try (PythonProcess worker = PythonProcess.launch(config)) {
      for (String name : List.of("raises", "exits", "nothing", "metric", "option", "absent")) {
        refused(() -> worker.train(request(home, name)));
      }
      TrainRequest odd = request(home, "raises").withParameters(Map.of("nonsense", 1));
      refused(() -> worker.train(odd));
      refused(() -> request(home, "raises").withParameters(Map.of("lr", Double.NaN)));
      refused(() -> request(home, "raises").withParameters(Map.of("when", new Object[0])));
      refused(() -> worker.export(ExportRequest.of("json:nothing", null, "n", home.resolve("n"))));
      System.out.println("alive " + worker.isAlive());
      refused(() -> worker.train(request(home, "dies")));
      System.out.println("alive " + worker.isAlive());
      refused(worker::describe);
    }
    PythonProcess hung = PythonProcess.launch(config);
    List<ProcessHandle> processes = ProcessHandle.current().descendants().toList();
    refused(() -> hung.train(request(home, "hangs")));
    for (ProcessHandle each : processes) {
      each.onExit().get();
    }
    System.out.println("ended alive " + hung.isAlive());
    hung.close();
    hung.close();
    refused(hung::describe);
    forget(config);
    while (ProcessHandle.current().descendants().findAny().isPresent()) {
      System.gc();
      Thread.sleep(50);
    }
    System.out.println("forgotten " + Leaks.found());
  }

  private static void forget(WorkerConfig config) {
    PythonProcess.launch(config);
  }

  private static TrainRequest request(Path home, String function) {
    return TrainRequest.of("faults:" + function, "n", home.resolve("n"));
  }

  /** Programs that are no worker. */
  private static void commands(Path home) throws Exception {
    WorkerConfig config = WorkerConfig.of("python3", home).withStartLimit(Duration.ofSeconds(3));
    for (List<String> command :
        List.of(
            List.of("/nonexistent/python"),
            List.of("false"),
            List.of("sh", "-c", "echo Welcome; exit 3"),
            List.of("sh", "-c", "yes '' | tr -d '\\n'"),
            List.of("sh", "-c", "echo hello; sleep 60"),
            List.of("sh", "-c", "echo sealane-worker 1 1; sleep 60"))) {
      refused(() -> PythonProcess.launch(config.withPython(command)).close());
    }
    Path absent = home.resolve("absent");
    refused(() -> PythonProcess.launch(WorkerConfig.of("sh", absent)).close());
    for (ProcessHandle each : ProcessHandle.current().descendants().toList()) {
      each.onExit().get(5, TimeUnit.SECONDS);
    }
    System.out.println("children 0");
  }

  private static void connect(String[] args) {
    for (int index = 2; index < args.length; index++) {
      String secret = args[index];
      refused(
          () -> {
            try (PythonProcess worker = PythonProcess.connect(Integer.parseInt(args[1]), secret)) {
              System.out.println("python " + worker.describe().get("python"));
            }
          });
    }
  }

  private static void orphan(String python, Path home) throws Exception {
    PythonProcess worker = PythonProcess.launch(WorkerConfig.of(python, home));
    ProcessHandle.current().children().forEach(child -> System.out.println("pid " + child.pid()));
    System.out.flush();
    Thread call = new Thread(() -> worker.train(request(home, "sleeps")));
    call.start();
    while (!home.resolve("sleeping").toFile().exists()) {
      Thread.sleep(20);
    }
    Runtime.getRuntime().halt(1);
  }

  private static void refused(Runnable call) {
    try {
      call.run();
    } catch (SealaneException error) {
      System.out.println(error.getMessage().replace('\n', ' '));
    }
  }
}
