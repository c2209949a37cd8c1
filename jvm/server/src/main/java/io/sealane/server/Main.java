package io.sealane.server;

import io.sealane.core.SealaneException;
import io.sealane.serving.VersionStatus;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** {@code java -jar sealane-server.jar --repository DIR}. */
public final class Main {
  private Main() {}

  /**
   * Serves until it is told to stop.
   *
   * @param arguments as {@code --help} says
   */
  public static void main(String[] arguments) {
    PrintStream out = System.out;
    List<String> flags = List.of(arguments);
    if (flags.contains("--help")) {
      out.print(Settings.help());
      return;
    }
    try {
      Settings settings = Settings.of(flags, System.getenv());
      ServerConfig config = ServerConfig.of(settings);
      out.print(settings.effective());
      SealaneServer server = SealaneServer.start(config);
      Runtime.getRuntime().addShutdownHook(new Thread(server::close, "sealane-shutdown"));
      tell(out, config, server);
    } catch (IllegalArgumentException | SealaneException refused) {
      System.err.println("sealane-server: " + refused.getMessage());
      System.exit(2);
    }
  }

  private static void tell(PrintStream out, ServerConfig config, SealaneServer server) {
    for (VersionStatus each : server.repository().index()) {
      String why = each.reason().isEmpty() ? "" : " (" + each.reason() + ")";
      out.println(each.model() + " " + each.version() + ": " + each.state() + why);
    }
    Path file = server.token().file();
    if (file != null) {
      out.println("management token: in " + file);
    }
    out.println(
        "listening on "
            + config.host()
            + ":"
            + server.port()
            + ", management on "
            + config.management().host()
            + ":"
            + server.managementPort());
    out.flush();
  }
}
