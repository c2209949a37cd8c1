package io.sealane.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import io.sealane.core.DataType;
import io.sealane.core.ErrorCode;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The tables both languages share are what the enums say. */
class SharedTablesTest {
  @Test
  void errorCodesAreTheTables() throws IOException {
    Map<String, String> table = new HashMap<>();
    List<Map<String, String>> codes =
        Corpus.list(Corpus.json(Corpus.ROOT.resolve("error_codes.json")).get("codes"));
    codes.forEach(code -> table.put(code.get("code"), code.get("family")));
    Map<String, String> enums = new HashMap<>();
    for (ErrorCode code : ErrorCode.values()) {
      enums.put(code.name(), code.family().name().toLowerCase(Locale.ROOT));
    }
    assertThat(enums).isEqualTo(table);
  }

  @Test
  void dtypesAreTheTables() throws IOException {
    List<Map<String, @Nullable Object>> dtypes =
        Corpus.list(Corpus.json(Corpus.ROOT.resolve("dtypes.json")).get("dtypes"));
    assertThat(dtypes).hasSameSizeAs(DataType.values());
    for (Map<String, @Nullable Object> row : dtypes) {
      DataType type = DataType.valueOf((String) row.get("name"));
      Object bytes = row.get("bytes");
      assertThat((long) type.width()).isEqualTo(bytes == null ? 0L : bytes);
      assertThat((long) Dtypes.onnx(type)).isEqualTo(row.get("onnx"));
      assertThat((long) Dtypes.tensorflow(type)).isEqualTo(row.get("tensorflow"));
      String safetensors = (String) row.get("safetensors");
      if (safetensors != null) {
        assertThat(Dtypes.ofSafetensors(safetensors)).isEqualTo(type);
      }
      if (type != DataType.BYTES) {
        assertThat(OnnxTypes.bits(Dtypes.onnx(type))).isEqualTo(8 * type.width());
      }
    }
  }
}
