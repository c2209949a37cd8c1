package io.sealane.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The enums are the tables that both languages share. */
class ConformanceTablesTest {
  private static List<String> rows(String file, Pattern row) throws IOException {
    Path path = Path.of(System.getProperty("sealane.conformance"), file);
    return row.matcher(Files.readString(path))
        .results()
        .map(ConformanceTablesTest::columns)
        .toList();
  }

  private static String columns(MatchResult match) {
    return match.group(1) + " " + match.group(2);
  }

  @Test
  void errorCodes() throws IOException {
    Pattern row = Pattern.compile("\"code\":\\s*\"(\\w+)\",\\s*\"family\":\\s*\"(\\w+)\"");
    assertThat(rows("error_codes.json", row))
        .isEqualTo(
            Arrays.stream(ErrorCode.values())
                .map(code -> code + " " + code.family().name().toLowerCase(Locale.ROOT))
                .toList());
  }

  @Test
  void dtypes() throws IOException {
    Pattern row = Pattern.compile("\"name\":\\s*\"(\\w+)\",\\s*\"bytes\":\\s*(\\w+)");
    assertThat(rows("dtypes.json", row))
        .isEqualTo(
            Arrays.stream(DataType.values())
                .map(dtype -> dtype + " " + (dtype.width() == 0 ? "null" : dtype.width()))
                .toList());
  }
}
