package io.sealane.server;

import io.sealane.core.SealaneException;
import io.sealane.serving.VersionStatus;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
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
    // Before anything of the JDK's logging is touched: the JDK looks once.
    System.setProperty("java.util.logging.manager", LastingLogs.class.getName());
    List<String> flags = List.of(arguments);
    if (flags.contains("--help")) {
      System.out.print(Settings.help());
      return;
    }
    try {
      serve(Settings.of(flags, System.getenv()));
    } catch (IllegalArgumentException | SealaneException refused) {
      System.err.println("sealane-server: " + refused.getMessage());
      System.exit(2);
    }
  }

  private static void serve(Settings settings) {
    ServerConfig config = ServerConfig.of(settings);
    Log log = new Log(new FileOutputStream(FileDescriptor.out), config.operations().log());
    log.takeOver();
    settings.effective().lines().forEach(log::tell);
    SealaneServer server;
    try {
      server = SealaneServer.start(config, log);
    } catch (RuntimeException refused) {
      log.close();
      throw refused;
    }
    Runnable end =
        () -> {
          server.close();
          log.close();
        };
    Runtime.getRuntime().addShutdownHook(new Thread(end, "sealane-shutdown"));
    tell(log, config, server);
  }

  private static void tell(Log log, ServerConfig config, SealaneServer server) {
    for (VersionStatus each : server.repository().index()) {
      String why = each.reason().isEmpty() ? "" : " (" + each.reason() + ")";
      log.tell(each.model() + " " + each.version() + ": " + each.state() + why);
    }
    Path file = server.token().file();
    if (file != null) {
      log.tell("management token: in " + file);
    }
    if (config.management().console()) {
      String host = config.management().host();
      log.tell("console: http://" + host + ":" + server.managementPort() + "/console");
    }
    log.tell(
        "listening on "
            + config.host()
            + ":"
            + server.port()
            + ", management on "
            + config.management().host()
            + ":"
            + server.managementPort());
  }
}
