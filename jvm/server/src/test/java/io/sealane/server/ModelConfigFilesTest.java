package io.sealane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.bundle.Variant;
import io.sealane.core.DataType;
import io.sealane.serving.Batching;
import io.sealane.serving.ModelConfig;
import io.sealane.serving.VersionPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigFilesTest {
  @TempDir Path repository;

  private ModelConfig applied(String text, ModelConfig config) throws IOException {
    Path folder = Files.createDirectories(repository.resolve("m"));
    Files.writeString(folder.resolve("config.pbtxt"), text);
    return new ModelConfigFiles(repository).applied("m", config);
  }

  @Test
  void whatItSaysHoldsWhereNoSettingSaysOtherwise() throws IOException {
    String text =
        """
        name: "m" platform: "tensorflow_savedmodel" max_batch_size: 16
        input { name: "a" data_type: TYPE_STRING dims: [ -1, 3 ] }
        output { name: "b" dims: 2 }
        dynamic_batching { max_queue_delay_microseconds: 250 }
        instance_group { count: 3 kind: KIND_CPU }
        version_policy { specific { versions: [ 4, 7 ] } }
        """;
    ModelConfig config = applied(text, ModelConfig.defaults());
    assertThat(config.plain().refusal()).isEmpty();
    assertThat(config.plain().description().kind()).isEqualTo(Variant.SAVEDMODEL);
    assertThat(config.plain().description().maxRows()).isEqualTo(16);
    var input = config.plain().description().inputs().get(0);
    assertThat(input.dtype()).isEqualTo(DataType.BYTES);
    assertThat(input.dims()).containsExactly(-1L, 3L);
    assertThat(config.plain().description().outputs().get(0).dtype()).isNull();
    assertThat(config.batching()).isEqualTo(new Batching(16, Duration.ofNanos(250_000), 1024, 3));
    assertThat(config.versions()).isEqualTo(new VersionPolicy.Specific(Set.of("4", "7")));
    Batching own = new Batching(4, Duration.ofMillis(9), 10, 99);
    ModelConfig set =
        ModelConfig.defaults().withBatching(own).withVersions(new VersionPolicy.All());
    assertThat(applied(text, set).batching()).isEqualTo(own);
    assertThat(applied(text, set).versions()).isEqualTo(new VersionPolicy.All());
  }

  @Test
  void withoutRowsNothingIsGatheredWhateverIsSet() throws IOException {
    Batching own = new Batching(64, Duration.ZERO, 10, 1);
    ModelConfig config = applied("", ModelConfig.defaults().withBatching(own));
    assertThat(config.batching().maxRows()).isEqualTo(1);
    assertThat(config.plain().refusal()).isEmpty();
    ModelConfig eight = applied("max_batch_size: 8", ModelConfig.defaults().withBatching(own));
    assertThat(eight.batching().maxRows()).isEqualTo(8);
    assertThat(applied("max_batch_size: 8", ModelConfig.defaults()).batching().maxRows())
        .isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "name: 'other'|is of model 'other'",
        "backend: 'python'|asks for 'python'",
        "platform: 'ensemble'|asks for 'ensemble'",
        "max_batch_size: -1|negative",
        "ensemble_scheduling { step { model_name: 'a' } }|ensemble_scheduling",
        "sequence_batching { max_sequence_idle_microseconds: 5 }|sequence_batching",
        "model_operations { op_library_filename: 'x.so' }|model_operations",
        "model_transaction_policy { decoupled: true }|model_transaction_policy",
        "batch_input { kind: BATCH_ELEMENT_COUNT }|batch_input",
        "default_model_filename: 'x.onnx'|default_model_filename",
        "input { name: 'a' reshape { shape: [ 1 ] } }|input 'a'",
        "input { name: 'a' optional: true }|input 'a'",
        "output { name: 'b' reshape { } }|output 'b'",
        "max_batch_size: many|not Triton's configuration",
        "input {|not Triton's configuration",
      })
  void whatIsNotDoneHereIsAReasonToRefuse(String text, String reason) throws IOException {
    String refusal = applied(text, ModelConfig.defaults()).plain().refusal();
    assertThat(refusal).matches("ARTIFACT_(UNSUPPORTED|INVALID): config.pbtxt .*(?s).*");
    assertThat(refusal).contains(reason);
  }

  @Test
  void theRestIsLeftAlone() throws IOException {
    String text =
        """
        optimization { graph { level: 1 } }
        parameters { key: "a" value { string_value: "b" } }
        dynamic_batching { preferred_batch_size: [ 4, 8 ] preserve_ordering: true }
        model_warmup [ { name: "w" batch_size: 1 } ]
        """;
    assertThat(applied(text, ModelConfig.defaults()).plain().refusal()).isEmpty();
  }

  @Test
  void hostileFilesAreRefused() throws IOException {
    String nested = "a {".repeat(100_000);
    assertThat(applied(nested, ModelConfig.defaults()).plain().refusal()).isNotEmpty();
    String large = "#".repeat(2 << 20);
    assertThat(applied(large, ModelConfig.defaults()).plain().refusal()).contains("at most");
    Path file = repository.resolve("m/config.pbtxt");
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe});
    var files = new ModelConfigFiles(repository);
    assertThat(files.applied("m", ModelConfig.defaults()).plain().refusal()).contains("UTF-8");
    Files.delete(file);
    Files.createSymbolicLink(file, Files.writeString(repository.resolve("other"), "name: 'm'"));
    assertThat(files.applied("m", ModelConfig.defaults()).plain().refusal()).isNotEmpty();
  }

  @Test
  void aBundlesOwnFileIsNotRead() throws IOException {
    Files.createDirectories(repository.resolve("m"));
    Files.writeString(repository.resolve("m/sealane.json"), "{}");
    ModelConfig config = ModelConfig.defaults();
    assertThat(applied("backend: 'python'", config)).isEqualTo(config);
  }
}
