package io.sealane.runtime.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program of the tests in a JVM of its own, with nothing but its class path and
 * OMP_NUM_THREADS=1.
 */
final class FreshJvm {
  private FreshJvm() {}

  /** Runs a main class; what it printed on standard output. Standard error must stay empty. */
  static String run(Class<?> program, int seconds, List<String> options, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("-Dsealane.conformance=" + System.getProperty("sealane.conformance"));
    command.add(program.getName());
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile("fresh", ".out");
    Path err = Files.createTempFile("fresh", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
      builder.environment().put("OMP_NUM_THREADS", "1");
      builder.redirectOutput(out.toFile()).redirectError(err.toFile());
      Process process = builder.start();
      boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
      process.destroyForcibly();
      String printed = Files.readString(out, StandardCharsets.UTF_8);
      assertThat(ended).as("ends within " + seconds + " s; printed " + printed).isTrue();
      assertThat(Files.readString(err)).as("standard error").isEmpty();
      assertThat(process.exitValue()).as(printed).isZero();
      return printed;
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }
}
