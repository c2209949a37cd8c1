package io.sealane.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.ErrorCode;
import io.sealane.runtime.spi.EngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which folders are engines, and that none is opened before it is asked for. */
class EngineFolderTest {
  @TempDir Path folder;

  private SessionConfig config;

  @BeforeEach
  void configure() {
    config = SessionConfig.defaults().withEngines(folder);
  }

  private void jar(String engine, boolean whole) throws IOException {
    Path jar = Files.createDirectories(folder.resolve(engine)).resolve("engine.jar");
    if (whole) {
      new JarOutputStream(Files.newOutputStream(jar)).close();
    } else {
      Files.writeString(jar, "no jar");
    }
  }

  private static void unavailable(String part, ThrowingCallable call) {
    Coded.refused(ErrorCode.ENGINE_UNAVAILABLE, part, call);
  }

  @Test
  void aFolderOfJarsIsAnEngineThatIsNotLoaded() throws IOException {
    jar("dl4j", false);
    EngineProvider engine = Engines.candidates(config.withEngine("dl4j")).get(0);
    assertThat(engine.name() + " " + engine.kind()).isEqualTo("dl4j dl4j");
    assertThat(Engines.of("dl4j", config).name()).isEqualTo("dl4j");
  }

  @Test
  void jarsWithoutTheEngineAreTold() throws IOException {
    jar("tensorflow", true);
    EngineProvider engine = Engines.candidates(config.withEngine("tensorflow")).get(0);
    unavailable("hold no engine 'tensorflow'", engine::version);
  }

  @Test
  void whatIsNotThereIsToldWithTheFolder() throws IOException {
    Files.createDirectories(folder.resolve("tensorflow"));
    jar("other", true);
    String place = folder.toString();
    unavailable(place, () -> Engines.candidates(config.withEngine("tensorflow")));
    unavailable("known engines are", () -> Engines.candidates(config.withEngine("other")));
    unavailable(place, () -> Engines.of("savedmodel", config));
    unavailable("no engine runs", () -> Engines.of("other", config));
  }
}
