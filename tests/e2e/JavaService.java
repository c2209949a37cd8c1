import io.sealane.bridge.ExportRequest;
import io.sealane.bridge.ExportedBundle;
import io.sealane.bridge.PythonProcess;
import io.sealane.core.SealaneException;
import io.sealane.core.Shape;
import io.sealane.core.Tensor;
import io.sealane.runtime.Outputs;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** A plain Java service that has Python export and train models for it, then runs them itself. */
public final class JavaService {
  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "serve" -> serve(args[1], Path.of(args[2]));
      case "connect" -> connect(Integer.parseInt(args[1]), args[2]);
      case "orphan" -> orphan(args[1], Path.of(args[2]));
      case "widow" -> widow(args[1], Path.of(args[2]));
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static void serve(String python, Path home) {
    try (PythonProcess worker = PythonProcess.launch(List.of(python), home)) {
      System.out.println("python " + worker.describe().get("python"));
      ExportRequest export =
          ExportRequest.of("train:model", home.resolve("rows.json"), "line", home.resolve("line"))
              .withFormats(List.of("onnx"));
      run(worker.export(export));
      ExportRequest train =
          ExportRequest.of("train:fit", null, "scaled", home.resolve("scaled"))
              .withFormats(List.of("onnx"))
              .withParameters(Map.of("factor", 3.0));
      run(worker.train(train));
      refused(() -> worker.export(export));
      refused(() -> worker.train(train.withParameters(Map.of("nonsense", 1))));
    }
  }

  private static void run(ExportedBundle made) {
    try (Session session = Sealane.open(made.path());
        Tensor x = Tensor.fp32(Shape.of(1, 2), 1f, 2f);
        Outputs outputs = session.run(Map.of(session.signature().inputs().get(0).name(), x))) {
      String output = session.signature().outputs().get(0).name();
      boolean same = session.manifest().contentId().equals(made.contentId());
      System.out.println("y " + Arrays.toString(outputs.get(output).floats()) + " " + same);
    }
  }

  private static void connect(int port, String token) {
    refused(
        () -> {
          try (PythonProcess worker = PythonProcess.connect(port, token)) {
            System.out.println("python " + worker.describe().get("python"));
          }
        });
  }

  private static void orphan(String python, Path home) {
    PythonProcess.launch(List.of(python), home);
    ProcessHandle.current().children().forEach(child -> System.out.println("pid " + child.pid()));
    System.out.flush();
    Runtime.getRuntime().halt(1);
  }

  private static void widow(String python, Path home) throws Exception {
    try (PythonProcess worker = PythonProcess.launch(List.of(python), home)) {
      for (ProcessHandle child : ProcessHandle.current().children().toList()) {
        child.destroyForcibly();
        child.onExit().get();
      }
      refused(worker::describe);
      System.out.println("alive " + worker.isAlive());
    }
  }

  private static void refused(Runnable call) {
    try {
      call.run();
    } catch (SealaneException error) {
      System.out.println(error.code() + " " + error.getMessage().replace('\n', ' '));
    }
  }
}
