package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sealane.bundle.Manifest.GoldenRef;
import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import io.sealane.core.Signature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every golden case of the corpus gives its outcome. */
class GoldenCorpusTest {
  private static final Path FOLDER = Corpus.ROOT.resolve("golden");

  /** A case whose name in the report is its file. */
  record Case(Map<String, @Nullable Object> members, Signature signature) {
    @Override
    public String toString() {
      return members.get("file") + " " + members.get("strings") + ": " + members.get("why");
    }
  }

  static Stream<Case> cases() throws IOException {
    Map<String, @Nullable Object> expected = Corpus.json(FOLDER.resolve("expected.json"));
    Map<String, Signature> signatures = new HashMap<>();
    Corpus.object(expected.get("signatures"))
        .forEach(
            (name, signature) ->
                signatures.put(
                    name,
                    new SignatureParser(true)
                        .parse(Members.of(signature, name, ErrorCode.MANIFEST_INVALID))));
    return Corpus.<Map<String, @Nullable Object>>list(expected.get("cases")).stream()
        .map(each -> new Case(each, signatures.get(each.get("signature"))));
  }

  private static GoldenCase read(Case each) throws IOException {
    String file = (String) each.members().get("file");
    String strings = (String) each.members().get("strings");
    return GoldenReader.read(
        new GoldenRef("case", file, strings, "test", 1),
        ByteBuffer.wrap(Files.readAllBytes(FOLDER.resolve(file))),
        strings == null ? null : ByteBuffer.wrap(Files.readAllBytes(FOLDER.resolve(strings))),
        each.signature(),
        Corpus.limits(each.members().get("limits")));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void casesGiveTheirOutcome(Case each) throws IOException {
    if (each.members().get("code") == null) {
      checkValues(read(each), Corpus.object(each.members().get("values")));
      return;
    }
    Refusal refusal = catchThrowableOfType(Refusal.class, () -> read(each));
    assertThat(refusal).as("must be refused").isNotNull();
    assertThat(refusal.code().name()).as(refusal.reason()).isEqualTo(each.members().get("code"));
  }

  private static void checkValues(GoldenCase golden, Map<String, @Nullable Object> values) {
    Map<String, GoldenTensor> tensors = new HashMap<>();
    golden.inputs().forEach((name, tensor) -> tensors.put("input:" + name, tensor));
    golden.outputs().forEach((name, tensor) -> tensors.put("output:" + name, tensor));
    golden.oracle().forEach((name, tensor) -> tensors.put("oracle:" + name, tensor));
    assertThat(values).isNotEmpty();
    values.forEach(
        (name, value) -> {
          Map<String, @Nullable Object> members = Corpus.object(value);
          GoldenTensor expected =
              Corpus.tensor(
                  (String) members.get("dtype"),
                  Corpus.<Long>list(members.get("shape")),
                  members.get("data"));
          GoldenTensor actual = tensors.get(name);
          assertThat(actual).as(name).hasToString(expected.toString());
          if (expected.dtype() == DataType.BYTES) {
            assertThat(List.copyOf(nonNull(actual))).isEqualTo(nonNull(expected));
          } else {
            assertThat(actual.data()).isEqualTo(expected.data());
          }
        });
  }

  private static List<String> nonNull(GoldenTensor tensor) {
    return tensor.strings().stream().map(text -> text == null ? "\0null" : text).toList();
  }
}
