package io.sealane.bridge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How a {@link PythonProcess} is started.
 *
 * @param python the interpreter with Sealane installed, and its options; not read by a shell
 * @param directory the worker's working directory, where its modules are looked up first
 * @param environment variables added to this process's own
 * @param startLimit how long it may take until it listens; 2 minutes
 * @param callLimit how long a call may take, waiting for others included, at most 24 days. A worker
 *     that takes longer is killed; 1 day
 */
public record WorkerConfig(
    List<String> python,
    Path directory,
    Map<String, String> environment,
    Duration startLimit,
    Duration callLimit) {
  /** Copies the collections. */
  public WorkerConfig {
    python = List.copyOf(python);
    environment = Map.copyOf(environment);
  }

  /** This interpreter in this directory, with the defaults. */
  public static WorkerConfig of(String python, Path directory) {
    return new WorkerConfig(
        List.of(python), directory, Map.of(), Duration.ofMinutes(2), Duration.ofDays(1));
  }

  /** This with options of the interpreter, or a command that runs it: the last word is Python's. */
  public WorkerConfig withPython(List<String> value) {
    return new WorkerConfig(value, directory, environment, startLimit, callLimit);
  }

  /** This with these variables. */
  public WorkerConfig withEnvironment(Map<String, String> value) {
    return new WorkerConfig(python, directory, value, startLimit, callLimit);
  }

  /** This with another limit for starting. */
  public WorkerConfig withStartLimit(Duration value) {
    return new WorkerConfig(python, directory, environment, value, callLimit);
  }

  /** This with another limit for a call. */
  public WorkerConfig withCallLimit(Duration value) {
    return new WorkerConfig(python, directory, environment, startLimit, value);
  }
}
